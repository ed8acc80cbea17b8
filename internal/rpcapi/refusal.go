package rpcapi

import (
	"bytes"
	"net/http"
	"regexp"

	"connectrpc.com/connect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/edge"
	"bookings/internal/requestid"
)

// refusals says in our words what a protocol's library refuses before our code
// is asked: an unknown path, a media type, a size, a compression. The libraries
// answer those in plain text, or in sentences of their own.
type refusals struct {
	apierror.Answerer
	next http.Handler
	// rest tells that the door speaks google.rpc.Status, else Connect's errors.
	rest bool
}

// ServeHTTP implements http.Handler.
func (h *refusals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guarded := &refusalWriter{ResponseWriter: w, record: edge.From(r.Context())}
	h.next.ServeHTTP(guarded, r)
	if guarded.refused == 0 {
		return
	}
	h.Log.DebugContext(r.Context(), "refused by a protocol's library",
		"requestId", requestid.From(r.Context()), "status", guarded.refused, "said", guarded.said.String())
	h.write(w, r, guarded)
}

// refusalWriter holds an error back that is not ours.
type refusalWriter struct {
	http.ResponseWriter
	record  *edge.Record
	refused int
	said    bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (w *refusalWriter) WriteHeader(code int) {
	switch {
	case w.refused != 0:
	case code >= http.StatusBadRequest && !w.record.Answered():
		w.refused = code
	default:
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write implements http.ResponseWriter.
func (w *refusalWriter) Write(body []byte) (int, error) {
	if w.refused == 0 {
		return w.ResponseWriter.Write(body)
	}
	const enough = 1 << 10
	w.said.Write(body[:min(len(body), max(0, enough-w.said.Len()))])
	return len(body), nil
}

// Flush implements http.Flusher.
func (w *refusalWriter) Flush() {
	if w.refused == 0 {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Unwrap lets http.ResponseController find deadlines and the connection.
func (w *refusalWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// parameter is how Vanguard names a query parameter whose value it cannot read.
var parameter = regexp.MustCompile(`invalid parameter \\?"([a-z_]+)\\?"`)

// explain is a refusal in our words, and its HTTP status.
func (w *refusalWriter) explain(rest bool) (int, *booking.Error) {
	switch w.refused {
	case http.StatusNotFound:
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "there is nothing at this path")
	case http.StatusMethodNotAllowed:
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "this path does not take this HTTP method")
	case http.StatusUnsupportedMediaType:
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "the Content-Type must be application/json")
	case http.StatusNotImplemented:
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "the compression must be gzip or none")
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		tooLarge := booking.Errorf(apierror.ReasonTooLarge, "the request is larger than %d bytes", edge.MaxBody)
		if rest {
			return http.StatusRequestEntityTooLarge, tooLarge
		}
		return http.StatusTooManyRequests, tooLarge
	}
	if match := parameter.FindSubmatch(w.said.Bytes()); match != nil {
		return http.StatusBadRequest, booking.Invalid(string(match[1]), "has a value of the wrong type or form")
	}
	return http.StatusBadRequest, booking.Errorf(booking.ReasonValidationFailed, "the request cannot be read")
}

func (h *refusals) write(w http.ResponseWriter, r *http.Request, guarded *refusalWriter) {
	code, known := guarded.explain(h.rest)
	told := h.Answer(r.Context(), known)
	header := w.Header()
	for _, stale := range []string{"Content-Encoding", "Content-Length", "Trailer"} {
		header.Del(stale)
	}
	if h.rest {
		header.Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write(apierror.JSON(told))
		return
	}
	_ = connect.NewErrorWriter().Write(&statusWriter{ResponseWriter: w, status: code}, r, told)
}

// statusWriter keeps the HTTP status that the library chose: 405 and 415 are no
// Connect codes.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(int) { w.ResponseWriter.WriteHeader(w.status) }
