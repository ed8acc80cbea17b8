package bookings

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"time"

	"connectrpc.com/connect"

	"bookings/gen/bookings/v1/bookingsv1connect"
)

const (
	defaultTries = 4
	firstRetry   = 200 * time.Millisecond
	longestRetry = 5 * time.Second
	// longestWait is how long a call waits for the limit at most.
	longestWait = time.Minute
)

// retries is the interceptor that makes calls again.
type retries struct{ tries int }

func newRetries(tries int) *retries { return &retries{tries: cmp.Or(tries, defaultTries)} }

// WrapUnary makes a call until it is answered, it may not be made again, or time is up.
func (r *retries) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		withKey(request)
		for try := 1; ; try++ {
			response, err := next(ctx, request)
			if err == nil || try >= r.tries || ctx.Err() != nil || !worthAnother(request, err) {
				return response, err
			}
			wait := retryAfter(err) + jitter(try-1, firstRetry, longestRetry)
			if wait > longestWait || endsWithin(ctx, wait) || !pause(ctx, wait) {
				return response, err
			}
		}
	}
}

// WrapStreamingClient leaves streams alone: Feed comes back by itself.
func (*retries) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler is for servers.
func (*retries) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// withKey gives a create without an idempotency key one for all of its tries. It goes
// into the header: the message is the caller's, who may make another booking with it.
func withKey(request connect.AnyRequest) {
	if request.Spec().Procedure != bookingsv1connect.BookingServiceCreateBookingProcedure || isTrial(request) {
		return
	}
	message, ok := request.Any().(interface{ GetIdempotencyKey() string })
	if ok && message.GetIdempotencyKey() == "" && request.Header().Get("Idempotency-Key") == "" {
		request.Header().Set("Idempotency-Key", rand.Text())
	}
}

// worthAnother tells whether another try may help, and can do no harm.
func worthAnother(request connect.AnyRequest, err error) bool {
	if Reason(err) == ReasonRateLimited || isUnsent(err) {
		return true // it was not done
	}
	return mayRepeat(request) && isPassing(err)
}

// isUnsent tells whether nobody was reached.
func isUnsent(err error) bool {
	failure, ok := errors.AsType[*net.OpError](err)
	return ok && failure.Op == "dial"
}

// isPassing tells whether the server is away for a while, or the line to it was cut:
// then the error is none that it has sent.
func isPassing(err error) bool {
	if _, ok := errors.AsType[*connect.Error](err); !ok {
		return false
	}
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
		return true
	case connect.CodeUnknown, connect.CodeInternal, connect.CodeCanceled:
		return !connect.IsWireError(err)
	default:
		return false
	}
}
