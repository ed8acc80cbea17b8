package rpcapi

import (
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
)

// Missing answers where there is nothing, in the form of the protocol that is
// spoken: a google.rpc.Status in JSON, as REST's, where it is none of RPC's.
type Missing struct{ apierror.Responder }

// ServeHTTP implements http.Handler.
func (h Missing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if speaksGRPC(r) || speaksConnect(r) {
		writeRefusal(h.Responder, middleware.Wrap(w, r), r, http.StatusNotFound, errPath)
		return
	}
	h.WriteStatus(w, r, errPath)
}

// writeRefusal says an error as connect does, under an HTTP status that its code
// may not have. gRPC has its code in the trailers: of a method that is not there
// it expects a success of HTTP with UNIMPLEMENTED, as load balancers do who ask
// for a method of their own to see whether a server is alive.
func writeRefusal(responder apierror.Responder, answer *middleware.ResponseWriter, r *http.Request, status int, known *booking.Error) {
	told := responder.ToConnect(r.Context(), known)
	if status == http.StatusNotFound && speaksGRPC(r) {
		status = http.StatusOK
	}
	answer.ForceStatus(status)
	_ = connect.NewErrorWriter().Write(answer, r, told)
}

// speaksGRPC covers gRPC-Web.
func speaksGRPC(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// speaksConnect is true where a request cannot be anything else. JSON may be REST.
func speaksConnect(r *http.Request) bool {
	media := r.Header.Get("Content-Type")
	return r.Header.Get("Connect-Protocol-Version") != "" || media == "application/proto" || strings.HasPrefix(media, "application/connect+")
}
