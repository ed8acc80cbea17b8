package rpcapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"connectrpc.com/connect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
	"bookings/internal/requestid"
)

// errorRewriter says in our words what connect refuses before our code is asked:
// an unknown path, a media type, a size, a compression.
type errorRewriter struct {
	apierror.Responder
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (h *errorRewriter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := middleware.Wrap(w, r)
	refusal := answer.Capture(func() { h.next.ServeHTTP(answer, r) })
	if refusal == nil {
		return
	}
	h.Log.DebugContext(r.Context(), "refused by a protocol's library",
		"requestId", requestid.From(r.Context()), "status", refusal.Status, "said", refusal.Said.String())
	status, known := explain(refusal, w.Header())
	dropLibraryHeaders(w.Header())
	writeRefusal(h.Responder, answer, r, status, known)
}

// libraryHeaders are the headers and trailers of what was held back.
var libraryHeaders = []string{
	"Content-Encoding", "Content-Length", "Location", "Trailer", "X-Content-Type-Options",
	"Connect-Content-Encoding", "Grpc-Encoding", "Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin",
}

func dropLibraryHeaders(header http.Header) {
	maps.DeleteFunc(header, func(name string, _ []string) bool {
		return slices.Contains(libraryHeaders, strings.TrimPrefix(name, http.TrailerPrefix))
	})
}

// explain is a refusal in our words, and its HTTP status. gRPC's is a success,
// its code is in a trailer.
func explain(refusal *middleware.Refusal, header http.Header) (int, *booking.Error) {
	switch status := refusal.Status; status {
	case http.StatusOK:
		return status, unreadable(grpcCode(header))
	case http.StatusNotFound:
		return status, errPath
	case http.StatusMethodNotAllowed:
		return status, errVerb
	case http.StatusUnsupportedMediaType:
		return status, booking.Errorf(apierror.ReasonUnimplemented, "the Content-Type must be application/json or one of Connect's or gRPC's")
	case http.StatusHTTPVersionNotSupported:
		return status, booking.Errorf(apierror.ReasonUnimplemented, "this method takes HTTP/2 alone")
	case http.StatusNotImplemented:
		return status, unreadable(connect.CodeUnimplemented)
	case http.StatusGatewayTimeout:
		return status, unreadable(connect.CodeDeadlineExceeded)
	case http.StatusTooManyRequests:
		return status, unreadable(connect.CodeResourceExhausted)
	default:
		return http.StatusBadRequest, unreadable(connect.CodeInvalidArgument)
	}
}

// What REST and connect refuse alike.
var (
	errPath  = booking.Errorf(apierror.ReasonUnimplemented, "there is nothing at this path")
	errVerb  = booking.Errorf(apierror.ReasonUnimplemented, "this path does not take this HTTP method")
	errMedia = booking.Errorf(apierror.ReasonUnimplemented, "the body must be application/json, its compression gzip or none")
)

// unreadable says in our words why a library could not read a request.
func unreadable(code connect.Code) *booking.Error {
	switch code {
	case connect.CodeResourceExhausted:
		return booking.Errorf(apierror.ReasonTooLarge,
			"the request is larger than %d bytes, or than %d where no credentials are asked for", middleware.MaxBody, maxProbe)
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
