package middleware

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestAPanicIsAnsweredByTheRequestsIDAlone(t *testing.T) {
	t.Parallel()
	server, told := serve(t, func(http.ResponseWriter, *http.Request) { panic("a secret") }, time.Now)
	response, body := get(t, server.URL)
	want := "internal error, request " + response.Header.Get("X-Request-Id") + "\n"
	if response.StatusCode != http.StatusInternalServerError || body != want {
		t.Errorf("%s %q, want %q", response.Status, body, want)
	}
	server.Close()
	for _, message := range []string{"panic", "request"} {
		if lines := told.lines(t, message); len(lines) != 1 || lines[0]["requestId"] != response.Header.Get("X-Request-Id") {
			t.Errorf("%q was logged as %v", message, lines)
		}
	}
}

// An answer that has begun can only be cut off.
func TestAPanicBehindAnAnswerAddsNothingToIt(t *testing.T) {
	t.Parallel()
	server, told := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "begun")
		panic("late")
	}, time.Now)
	response, body := get(t, server.URL)
	if response.StatusCode != http.StatusOK || body != "begun" {
		t.Errorf("%s %q", response.Status, body)
	}
	server.Close()
	if lines := told.lines(t, "panic"); len(lines) != 1 {
		t.Errorf("logged were %v", lines)
	}
}

// It is how a handler asks net/http to cut the connection.
func TestAnAbortedHandlerCutsTheConnection(t *testing.T) {
	t.Parallel()
	server, told := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, time.Now)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("a"))
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
		t.Errorf("answered by %s", response.Status)
	}
	server.Close()
	if lines := told.lines(t, "request"); len(lines) != 1 {
		t.Errorf("logged were %v", lines)
	}
}

func TestTheLogHasTheStatusThatTheCallerGot(t *testing.T) {
	t.Parallel()
	for want, next := range map[string]http.HandlerFunc{
		"200": func(http.ResponseWriter, *http.Request) {},
		"204": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"404": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
		},
		"aborted": func(w http.ResponseWriter, r *http.Request) {
			From(r.Context()).MarkAnswered("aborted")
			w.WriteHeader(http.StatusConflict)
		},
	} {
		server, told := serve(t, next, time.Now)
		get(t, server.URL)
		server.Close()
		if lines := told.lines(t, "request"); len(lines) != 1 || lines[0]["code"] != want {
			t.Errorf("%s: logged were %v", want, lines)
		}
	}
}

// nearly is the clock of a server whose deadlines for bodies are nearly over:
// they lie ten seconds after its present.
func nearly() time.Time { return time.Now().Add(-bodyDeadline + 50*time.Millisecond) }

// The deadline is for bodies alone: a stream goes on behind it.
func TestAnAnswerMayTakeLongerThanABody(t *testing.T) {
	t.Parallel()
	for _, version := range []int{1, 2} {
		ended := make(chan error, 1)
		server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			if r.ProtoMajor != version {
				t.Errorf("this is %s", r.Proto)
			}
			select {
			case <-r.Context().Done():
				ended <- r.Context().Err()
			case <-time.After(200 * time.Millisecond): // four times the deadline
				ended <- http.NewResponseController(w).Flush()
			}
		}, nearly)
		transport := &http.Transport{Protocols: protocols(version)}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("a"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		transport.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("HTTP/%d: the answer ended by %v", version, err)
		}
	}
}

func TestABodyHasADeadline(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	body, more := io.Pipe()
	defer more.Close()
	server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}, nearly)
	post(t, server.URL, body)
	var timeout interface{ Timeout() bool }
	if err := <-read; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("reading ended by %v", err)
	}
}

// post sends a body and takes any answer, or none.
func post(t *testing.T, url string, body io.Reader) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
	}
}
