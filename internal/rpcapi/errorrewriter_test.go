package rpcapi

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bookings/internal/apierror"
	"bookings/internal/middleware"
)

// refuse is what a caller sees of a library's answer.
func refuse(t *testing.T, media string, library http.HandlerFunc) *http.Response {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	doors := &errorRewriter{Responder: apierror.Responder{Log: log}, next: library}
	outer := &middleware.Handler{Next: doors, Log: log, Now: time.Now}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
	request.Header.Set("Content-Type", media)
	recorder := httptest.NewRecorder()
	outer.ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestALibrarysRefusalIsSaidInOurWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, want int
		says         string
	}{
		{http.StatusNotFound, http.StatusNotFound, "nothing at this path"},
		{http.StatusMethodNotAllowed, http.StatusMethodNotAllowed, "does not take this HTTP method"},
		{http.StatusUnsupportedMediaType, http.StatusUnsupportedMediaType, "application/json"},
		{http.StatusTooManyRequests, http.StatusTooManyRequests, "larger than 65536 bytes"},
		{http.StatusInternalServerError, http.StatusBadRequest, "cannot be read"},
		{http.StatusNotImplemented, http.StatusNotImplemented, "gzip or none"},
		{http.StatusGatewayTimeout, http.StatusGatewayTimeout, "too long to arrive"},
		{http.StatusTeapot, http.StatusBadRequest, "cannot be read"},
	} {
		got := refuse(t, "application/json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", "16")
			http.Error(w, "library: secrets", c.status)
		})
		body, _ := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if got.StatusCode != c.want || !strings.Contains(string(body), c.says) || strings.Contains(string(body), "secret") {
			t.Errorf("%d became %s: %s", c.status, got.Status, body)
		}
		if got.Header.Get("Content-Encoding") != "" || got.Header.Get("Content-Length") != "" {
			t.Errorf("%d: headers are left over: %v", c.status, got.Header)
		}
	}
}

// gRPC refuses with the HTTP status of a success.
func TestARefusalInTrailersIsSaidInOurWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ media, prefix, code, want, says string }{
		{"application/grpc", http.TrailerPrefix, "8", "8", "larger than 65536 bytes"},
		{"application/grpc", http.TrailerPrefix, "12", "12", "gzip or none"},
		{"application/grpc", http.TrailerPrefix, "4", "4", "too long to arrive"},
		{"application/grpc", http.TrailerPrefix, "1", "1", "gone away"},
		{"application/grpc", http.TrailerPrefix, "13", "3", "cannot be read"},
		{"application/grpc-web", "", "8", "8", "larger than 65536 bytes"},
		{"application/grpc-web", "", "13", "3", "cannot be read"},
	} {
		got := refuse(t, c.media, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(c.prefix+"Grpc-Status", c.code)
			w.Header().Set(c.prefix+"Grpc-Message", "library: secrets")
			w.Header().Set(c.prefix+"Grpc-Status-Details-Bin", "secrets")
			_ = http.NewResponseController(w).Flush()
		})
		_ = got.Body.Close()
		told := got.Trailer
		if c.prefix == "" {
			told = got.Header
		}
		if got.StatusCode != http.StatusOK || told.Get("Grpc-Status") != c.want || !strings.Contains(told.Get("Grpc-Message"), c.says) {
			t.Errorf("%s, code %s: %s %v", c.media, c.code, got.Status, told)
		}
		if details := told.Values("Grpc-Status-Details-Bin"); len(details) != 1 || details[0] == "secrets" {
			t.Errorf("%s, code %s: details are %q", c.media, c.code, details)
		}
	}
}

func TestOurOwnAnswersPass(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
		got := refuse(t, "application/json", func(w http.ResponseWriter, r *http.Request) {
			middleware.From(r.Context()).MarkAnswered("whatever")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "our ")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "words")
		})
		body, _ := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if got.StatusCode != status || string(body) != "our words" {
			t.Errorf("%d became %s: %s", status, got.Status, body)
		}
	}
}
