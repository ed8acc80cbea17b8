package middleware

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// maxSaid is how much is kept of what a library said, for the log, in bytes.
const maxSaid = 1 << 10

// ResponseWriter is the one wrapper around an answer. It notes the status for
// the log, holds back what a protocol's library answers by itself (Capture), and
// keeps the connection that a WebSocket takes over. Handler gives one to every
// handler behind it.
type ResponseWriter struct {
	http.ResponseWriter
	record *Record
	// status is the final one of the answer; 0 until it begins.
	status int
	// forced, where it is not 0, takes the place of the status that is written.
	forced int
	// refusal is what is held back, while capturing.
	capturing bool
	refusal   *Refusal
	hijacked  net.Conn
}

// Refusal is what a protocol's library answered before our code was asked: an
// unknown path, a media type, a size, a compression. Libraries say those in
// plain text, or in sentences of their own.
type Refusal struct {
	// Status is the one of HTTP. A gRPC refusal has 200, its code in a trailer.
	Status int
	// Said is the beginning of the body, for the log alone.
	Said bytes.Buffer
}

// Wrap is the wrapper around an answer: the one that Handler made, or a new one
// where no Handler stands in front.
func Wrap(w http.ResponseWriter, r *http.Request) *ResponseWriter {
	if wrapped, ok := w.(*ResponseWriter); ok {
		return wrapped
	}
	return &ResponseWriter{ResponseWriter: w, record: From(r.Context())}
}

// Capture lets a library answer, and returns what it refused, to be said anew.
// It is nil for an answer of ours, which has gone out: every answer of ours is
// noted on the record before its first byte, a refusal never is.
func (w *ResponseWriter) Capture(answer func()) *Refusal {
	w.capturing, w.refusal = true, nil
	defer func() { w.capturing = false }()
	answer()
	return w.refusal
}

// ForceStatus answers with this status, whichever a library chooses.
func (w *ResponseWriter) ForceStatus(status int) { w.forced = status }

// Hijacked is the connection that a WebSocket has taken over, or nil.
func (w *ResponseWriter) Hijacked() net.Conn { return w.hijacked }

// begin notes the status of the answer and reports whether it may go out.
func (w *ResponseWriter) begin(status int) bool {
	ours := w.record.Answered() || status == http.StatusSwitchingProtocols
	if w.capturing && !ours && w.refusal == nil {
		w.refusal = &Refusal{Status: status}
	}
	if w.capturing && w.refusal != nil {
		return false
	}
	if w.status == 0 {
		w.status = status
	}
	return true
}

// WriteHeader implements http.ResponseWriter.
func (w *ResponseWriter) WriteHeader(status int) {
	if w.forced != 0 {
		status = w.forced
	}
	informs := status < http.StatusOK && status != http.StatusSwitchingProtocols
	if informs || w.begin(status) {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *ResponseWriter) Write(body []byte) (int, error) {
	if w.begin(http.StatusOK) {
		return w.ResponseWriter.Write(body)
	}
	said := &w.refusal.Said
	said.Write(body[:min(len(body), max(0, maxSaid-said.Len()))])
	return len(body), nil
}

// Flush implements http.Flusher, which streams ask for by name.
func (w *ResponseWriter) Flush() {
	if w.begin(http.StatusOK) {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Hijack implements http.Hijacker.
func (w *ResponseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take a connection over: %w", err)
	}
	w.hijacked = conn
	return conn, buffers, nil
}

// Unwrap lets http.ResponseController find deadlines.
func (w *ResponseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code is the status for the log, where no door has named a better one.
func (w *ResponseWriter) code() string {
	if w.status == 0 {
		return strconv.Itoa(http.StatusOK)
	}
	return strconv.Itoa(w.status)
}
