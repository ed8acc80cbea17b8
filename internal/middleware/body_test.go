package middleware

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// smuggled is a request that stands in the body of another.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// What of a body nobody has read must not be taken for the next request: a
// proxy in front would pass its answer to somebody else.
func TestTheRestOfABodyIsNeverANewRequest(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the ends of connections")
	}
	for name, next := range map[string]http.HandlerFunc{
		"read to the limit": func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
				t.Errorf("reading ended by %v", err)
			}
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		},
		"read to the limit and closed": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			_ = r.Body.Close()
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		},
		"closed":   func(_ http.ResponseWriter, r *http.Request) { _ = r.Body.Close() },
		"not read": func(http.ResponseWriter, *http.Request) {},
	} {
		server, told := serve(t, next, time.Now)
		// Enough that net/http does not read it to its end either.
		body := strings.Repeat(smuggled, 1<<20/len(smuggled))
		answers := exchange(t, server.Listener.Addr().String(), body)
		server.Close()
		if answers != 1 || len(told.lines(t, "request")) != 1 {
			t.Errorf("%s: %d answers, logged were %v", name, answers, told.lines(t, "request"))
		}
	}
}

// exchange posts a body and counts the answers until the connection ends.
func exchange(t *testing.T, address, body string) (answers int) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	go func() {
		_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}()
	for reader := bufio.NewReader(conn); ; answers++ {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return answers
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

func TestBodiesEndAtTheLimit(t *testing.T) {
	t.Parallel()
	for size, whole := range map[int]bool{0: true, MaxBody: true, MaxBody + envelope: true, MaxBody + envelope + 1: false} {
		read := make(chan error, 1)
		server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			read <- err
		}, time.Now)
		post(t, server.URL, strings.NewReader(strings.Repeat("a", size)))
		if err := <-read; whole != (err == nil) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
