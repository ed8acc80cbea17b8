package bookings

import (
	"context"
	"errors"
	"io"
	"time"

	"connectrpc.com/connect"

	bookingsv1 "bookings/gen/bookings/v1"
)

const (
	firstReturn   = time.Second
	longestReturn = 30 * time.Second
	// longestSilence is three checkpoints: pings may be answered by a proxy that has lost
	// the server.
	longestSilence = 75 * time.Second
)

// errLeft is the end of the caller's loop.
var errLeft = errors.New("the loop has ended")

// errSilent is a stream without a checkpoint.
var errSilent = errors.New("nothing has come, not even a checkpoint")

// reader is one loop over a feed.
type reader struct {
	*Feed

	yield   func(*bookingsv1.Event, error) bool
	reset   *ResetError // to be told once the head is known
	renewed bool        // the token was refused, and nothing has come since
	met     bool        // the server has opened a stream
}

// run follows the feed, and comes back whenever it is cut off.
func (r *reader) run(ctx context.Context) {
	for try := 0; ctx.Err() == nil; try++ {
		opened, err := r.follow(ctx)
		if opened {
			try = 0
		}
		switch {
		case errors.Is(err, errLeft), ctx.Err() != nil:
			return
		case r.comesBackAtOnce(err):
		case r.isFinal(err, opened):
			r.yield(nil, err)
			return
		default:
			r.rest(ctx, try, err)
		}
	}
}

// follow hands on what one stream brings, and reports whether it was opened at all.
func (r *reader) follow(ctx context.Context) (opened bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(r.silence, func() { cancel(errSilent) })
	defer silent.Stop()
	opened, err = r.receive(ctx, silent)
	if cause := context.Cause(ctx); connect.CodeOf(err) == connect.CodeCanceled && errors.Is(cause, errSilent) {
		return opened, errSilent
	}
	return opened, err
}

func (r *reader) receive(ctx context.Context, silent *time.Timer) (opened bool, err error) {
	stream, err := r.client.StreamEvents(ctx, r.request())
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }()
	for ctx.Err() == nil && stream.Receive() {
		silent.Stop() // the caller takes what time it likes
		opened, r.met = true, true
		if err := r.take(ctx, stream.Msg()); err != nil {
			return opened, err
		}
		silent.Reset(r.silence)
	}
	if err := stream.Err(); err != nil {
		return opened, err
	}
	return opened, io.EOF
}

// request asks for what comes after the place; after a reset, for what comes from now on.
func (r *reader) request() *bookingsv1.StreamEventsRequest {
	request := &bookingsv1.StreamEventsRequest{Role: r.options.Role, UserId: r.options.UserID, Types: r.options.Types}
	if r.place != nil && r.reset == nil {
		request.AfterSequence, request.AfterId = &r.place.Sequence, r.place.ID
	}
	return request
}

// take handles one message: first the event, then the place. Killed in between, it
// comes twice; the other way round it would come never.
func (r *reader) take(ctx context.Context, message *bookingsv1.StreamEventsResponse) error {
	switch {
	case message.GetReady() != nil:
		return r.begin(ctx, message.GetReady())
	case message.GetEvent() != nil:
		if !r.yield(message.GetEvent(), nil) {
			return errLeft
		}
		return r.advance(ctx, Place{message.GetEvent().GetSequence(), message.GetEvent().GetId()})
	case message.GetCheckpoint() != nil:
		return r.advance(ctx, Place{message.GetCheckpoint().GetSequence(), message.GetCheckpoint().GetId()})
	}
	return nil
}

// begin knows the feed's head. A reset is told only now, with the stream open: what is
// listed after it, and what the stream brings, are all that there is.
func (r *reader) begin(ctx context.Context, ready *bookingsv1.StreamReady) error {
	head := Place{ready.GetHead(), ready.GetHeadId()}
	if reset := r.reset; reset != nil {
		reset.Head = head
		if !r.yield(nil, reset) {
			return errLeft
		}
	}
	if r.place == nil || r.reset != nil {
		if err := r.keepOrEnd(ctx, head); err != nil {
			return err
		}
		r.reset = nil
	}
	if r.options.OnConnected != nil {
		r.options.OnConnected(head.Sequence)
	}
	return nil
}

func (r *reader) advance(ctx context.Context, place Place) error {
	r.renewed = false
	return r.keepOrEnd(ctx, place)
}

func (r *reader) keepOrEnd(ctx context.Context, place Place) error {
	if err := r.keep(ctx, place); err != nil {
		r.yield(nil, err)
		return errLeft
	}
	return nil
}

// comesBackAtOnce tells whether there is nothing to wait for: the place is lost, and
// the head is to be learned; or the token has expired, and there may be another.
func (r *reader) comesBackAtOnce(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeOutOfRange:
		if r.reset != nil || r.place == nil {
			return false
		}
		r.reset = &ResetError{Lost: *r.place, Err: err}
		return true
	case connect.CodeUnauthenticated:
		again := r.renewed
		r.renewed = true
		return !again
	default:
		return false
	}
}

// isFinal tells whether another try would end in the same way. A token that was good
// enough to open a stream was good. What a proxy says of a server that was there before
// passes: it does not find it.
func (r *reader) isFinal(err error, opened bool) bool {
	switch connect.CodeOf(err) {
	case connect.CodeUnauthenticated:
		return !opened
	case connect.CodePermissionDenied, connect.CodeInvalidArgument, connect.CodeUnimplemented, connect.CodeNotFound:
		return connect.IsWireError(err) || !r.met
	default:
		return false
	}
}

// rest waits before another try.
func (r *reader) rest(ctx context.Context, try int, why error) {
	wait := retryAfter(why) + jitter(try, firstReturn, longestReturn)
	if r.options.OnCut != nil {
		r.options.OnCut(why, wait)
	}
	pause(ctx, wait)
}
