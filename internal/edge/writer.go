package edge

import (
	"net/http"
	"strconv"
)

// writer notes the status of an answer and whether it has begun.
type writer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	final := status >= http.StatusOK || status == http.StatusSwitchingProtocols
	if w.status == 0 && final {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(body []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(body)
}

// Flush implements http.Flusher, which streams ask for by name.
func (w *writer) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController find deadlines and the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code is the status for the log, where no door has named a better one.
func (w *writer) code() string {
	if w.status == 0 {
		return strconv.Itoa(http.StatusOK)
	}
	return strconv.Itoa(w.status)
}
