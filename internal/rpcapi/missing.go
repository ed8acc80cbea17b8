package rpcapi

import (
	"net/http"
	"regexp"
	"strings"

	"connectrpc.com/connect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
)

// Missing answers where there is nothing.
type Missing struct{ apierror.Responder }

// ServeHTTP implements http.Handler.
func (h Missing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuseAsSpoken(h.Responder, w, r, http.StatusNotFound, errPath)
}

// refuseAsSpoken says an error in the form of the protocol that is spoken, under an HTTP
// status that its code may not have. Where it is none of RPC's that is a
// google.rpc.Status in JSON, as REST's.
func refuseAsSpoken(responder apierror.Responder, w http.ResponseWriter, r *http.Request, status int, known *booking.Error) {
	if speaksGRPC(r) || speaksConnect(r) {
		writeRefusal(responder, middleware.Wrap(w, r), r, status, known)
		return
	}
	refuseUnder(responder, w, r, status, known)
}

// writeRefusal says an error as connect does, under an HTTP status that its code
// may not have. gRPC has its code in the trailers: of a method that is not there
// it expects a success of HTTP with UNIMPLEMENTED, as load balancers do who ask
// for a method of their own to see whether a server is alive.
func writeRefusal(responder apierror.Responder, answer *middleware.ResponseWriter, r *http.Request, status int, known *booking.Error) {
	told := responder.ToConnect(r.Context(), known)
	if speaksGRPC(r) && (status == http.StatusNotFound || status == http.StatusRequestHeaderFieldsTooLarge) {
		status = http.StatusOK
	}
	answer.ForceStatus(status)
	if r.ProtoMajor > 1 {
		// None: net/http would say that 0 bytes follow, and nginx then drops the trailers.
		answer.Header()["Content-Length"] = nil
	}
	_ = connect.NewErrorWriter().Write(answer, r, told)
}

// speaksGRPC covers gRPC-Web.
func speaksGRPC(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// procedure is a path as RPC has them: a service and its method.
var procedure = regexp.MustCompile(`^/[\w.]+\.\w+/\w+$`)

// speaksConnect is true of what does not look like REST. JSON may be both.
func speaksConnect(r *http.Request) bool {
	media := r.Header.Get("Content-Type")
	return r.Header.Get("Connect-Protocol-Version") != "" || media == "application/proto" ||
		strings.HasPrefix(media, "application/connect+") || procedure.MatchString(r.URL.Path)
}
