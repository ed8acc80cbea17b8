package middleware

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// lines are the lines logged with a message.
func (l *logs) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(l.text.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

// serve runs a server of one handler behind the outer one.
func serve(t *testing.T, next http.HandlerFunc, now func() time.Time) (*httptest.Server, *logs) {
	t.Helper()
	handler, told := outer(next, now)
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = protocols(1, 2)
	server.Start()
	t.Cleanup(server.Close)
	return server, told
}

func outer(next http.HandlerFunc, now func() time.Time) (*Handler, *logs) {
	told := &logs{}
	return &Handler{Next: next, Log: slog.New(slog.NewJSONHandler(told, nil)), Now: now}, told
}

// protocols are versions of HTTP, the second in plain text.
func protocols(versions ...int) *http.Protocols {
	var all http.Protocols
	for _, version := range versions {
		all.SetHTTP1(all.HTTP1() || version == 1)
		all.SetUnencryptedHTTP2(all.UnencryptedHTTP2() || version == 2)
	}
	return &all
}
