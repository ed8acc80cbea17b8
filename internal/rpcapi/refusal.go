package rpcapi

import (
	"bytes"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

// refusalWriter holds back what is not our answer: every answer of ours is noted
// on the record before its first byte, a refusal never is.
type refusalWriter struct {
	http.ResponseWriter
	record *edge.Record
	// refused is the HTTP status of what is held back; gRPC's is 200.
	refused int
	said    bytes.Buffer
}

func (w *refusalWriter) holds(code int) bool {
	if w.refused == 0 && !w.record.Answered() {
		w.refused = code
	}
	return w.refused != 0
}

// WriteHeader implements http.ResponseWriter.
func (w *refusalWriter) WriteHeader(code int) {
	if !w.holds(code) {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write implements http.ResponseWriter.
func (w *refusalWriter) Write(body []byte) (int, error) {
	if !w.holds(http.StatusOK) {
		return w.ResponseWriter.Write(body)
	}
	const enough = 1 << 10
	w.said.Write(body[:min(len(body), max(0, enough-w.said.Len()))])
	return len(body), nil
}

// Flush implements http.Flusher.
func (w *refusalWriter) Flush() {
	if !w.holds(http.StatusOK) {
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
	case http.StatusOK:
		return w.refused, unreadable(grpcCode(w.Header()))
	case http.StatusNotFound:
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "there is nothing at this path")
	case http.StatusMethodNotAllowed:
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "this path does not take this HTTP method")
	case http.StatusUnsupportedMediaType:
		if rest {
			return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "the body must be application/json, not compressed")
		}
		return w.refused, booking.Errorf(apierror.ReasonUnimplemented, "the Content-Type must be application/json or one of Connect's or gRPC's")
	case http.StatusNotImplemented:
		return w.refused, unreadable(connect.CodeUnimplemented)
	case http.StatusGatewayTimeout:
		return w.refused, unreadable(connect.CodeDeadlineExceeded)
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		if rest {
			return http.StatusRequestEntityTooLarge, unreadable(connect.CodeResourceExhausted)
		}
		return http.StatusTooManyRequests, unreadable(connect.CodeResourceExhausted)
	}
	if match := parameter.FindSubmatch(w.said.Bytes()); match != nil {
		return http.StatusBadRequest, booking.Invalid(string(match[1]), "has a value of the wrong type or form")
	}
	return http.StatusBadRequest, unreadable(connect.CodeInvalidArgument)
}

// unreadable says in our words why a library could not read a request.
func unreadable(code connect.Code) *booking.Error {
	switch code {
	case connect.CodeResourceExhausted:
		return booking.Errorf(apierror.ReasonTooLarge, "the request is larger than %d bytes", edge.MaxBody)
	case connect.CodeUnimplemented:
		return booking.Errorf(apierror.ReasonUnimplemented, "the request must be one message, its compression gzip or none")
	case connect.CodeDeadlineExceeded:
		return booking.Errorf(apierror.ReasonDeadlineExceeded, "the request took too long to arrive")
	case connect.CodeCanceled:
		return booking.Errorf(apierror.ReasonCanceled, "the caller has gone away")
	default:
		return booking.Errorf(booking.ReasonValidationFailed, "the request cannot be read")
	}
}

// grpcCode is the code of an answer that HTTP calls a success: in the trailers
// of gRPC, in the headers of gRPC-Web.
func grpcCode(header http.Header) connect.Code {
	text := header.Get("Grpc-Status")
	if trailer := header[http.TrailerPrefix+"Grpc-Status"]; len(trailer) > 0 {
		text = trailer[0]
	}
	code, _ := strconv.Atoi(text)
	return connect.Code(code)
}

func (h *refusals) write(w http.ResponseWriter, r *http.Request, guarded *refusalWriter) {
	code, known := guarded.explain(h.rest)
	told := h.Answer(r.Context(), known)
	header := w.Header()
	maps.DeleteFunc(header, func(name string, _ []string) bool {
		return slices.Contains(stale, strings.TrimPrefix(name, http.TrailerPrefix))
	})
	if h.rest {
		header.Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write(apierror.JSON(told))
		return
	}
	_ = connect.NewErrorWriter().Write(&statusWriter{ResponseWriter: w, status: code}, r, told)
}

// stale are the headers and trailers of what was held back.
var stale = []string{
	"Content-Encoding", "Content-Length", "Trailer", "Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin",
}

// statusWriter keeps the HTTP status that the library chose: 405 and 415 are no
// Connect codes.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(int) { w.ResponseWriter.WriteHeader(w.status) }
