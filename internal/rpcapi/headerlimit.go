package rpcapi

import (
	"net/http"

	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// MaxHeaders is how large a request's headers may be, with its path and query, in
// bytes of names and values. No proxy sends more.
const MaxHeaders = 64 << 10

// HeaderLimit refuses what has more. net/http itself would end an HTTP/2
// connection with all of its calls, so its own limit lies far above this one.
type HeaderLimit struct {
	apierror.Responder
	Next http.Handler
}

var errHeaders = booking.Errorf(apierror.ReasonTooLarge, "the headers are larger than %d bytes", MaxHeaders)

// ServeHTTP implements http.Handler.
func (h HeaderLimit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if headerBytes(r) > MaxHeaders {
		refuseAsSpoken(h.Responder, w, r, http.StatusRequestHeaderFieldsTooLarge, errHeaders)
		return
	}
	h.Next.ServeHTTP(w, r)
}

func headerBytes(r *http.Request) int {
	size := len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return size
}
