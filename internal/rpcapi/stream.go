package rpcapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
	"bookings/internal/middleware"
)

const (
	// sendWithin is how long one message of a stream may take to leave.
	sendWithin = 5 * time.Second
	// maxSilence is how long a stream says nothing before it sends a checkpoint.
	// The proxies that are known cut a stream off after 30 seconds or more.
	maxSilence = 25 * time.Second
)

type eventStream = connect.ServerStream[bookingsv1.StreamEventsResponse]

// StreamEvents implements the method of the proto.
func (s *eventService) StreamEvents(ctx context.Context, r *bookingsv1.StreamEventsRequest, stream *eventStream) error {
	key, err := feedOf(ctx, r)
	if err != nil {
		return err
	}
	after, err := pointOf(r, r.AfterSequence != nil)
	if err != nil {
		return err
	}
	caller := identity.From(ctx)
	subscription, err := s.feeds.Subscribe(ctx, key, after, maxReaders(caller))
	if err != nil {
		return err
	}
	defer subscription.Close()
	s.open.Add(1)
	defer s.open.Add(-1)
	if subscription.Refusal != nil {
		return subscription.Refusal
	}
	ctx, cancel := untilExpiry(ctx, caller)
	defer cancel()
	// nginx, left to itself, holds an answer back until it fills a buffer.
	stream.ResponseHeader().Set("X-Accel-Buffering", "no")
	if err := send(ctx, stream, readyMessage(subscription.Head, caller)); err != nil {
		return err
	}
	return s.relay(ctx, events{subscription, typesOf(r)}, stream)
}

// maxReaders is how many sockets and streams the caller may hold here; services
// of ours as many as they like.
func maxReaders(caller identity.Caller) int {
	if caller.Actor.Role == booking.RoleInternal {
		return 0
	}
	return feed.MaxReaders
}

func untilExpiry(ctx context.Context, caller identity.Caller) (context.Context, context.CancelFunc) {
	if caller.Expires.IsZero() {
		return context.WithCancel(ctx)
	}
	expired := booking.Errorf(booking.ReasonTokenExpired, "the token has expired: resume with another")
	return context.WithDeadlineCause(ctx, caller.Expires, expired)
}

// readyMessage opens a stream. head is where one without a number goes on.
func readyMessage(head feed.Point, caller identity.Caller) *bookingsv1.StreamEventsResponse {
	ready := &bookingsv1.StreamReady{Head: head.Sequence, HeadId: head.ID}
	if !caller.Expires.IsZero() {
		ready.ExpireTime = timestamppb.New(caller.Expires)
	}
	return &bookingsv1.StreamEventsResponse{Ready: ready}
}

// events are a subscription's entries of the types that the caller asked for.
type events struct {
	*feed.Subscription
	types []booking.EventType
}

// next waits for the next entry that is of the types.
func (e events) next(ctx context.Context) (feed.Entry, error) {
	for {
		entry, err := e.Next(ctx)
		if err != nil || entry.IsOf(e.types) {
			return entry, err
		}
	}
}

// relay sends each entry, and checkpoints between them, until the subscription
// or its context ends.
func (s *eventService) relay(ctx context.Context, events events, stream *eventStream) error {
	for {
		message, err := nextMessage(ctx, events, s.silence)
		if err != nil {
			return err
		}
		if err := send(ctx, stream, message); err != nil {
			return err
		}
	}
}

var errSilent = errors.New("no entry has come")

// nextMessage waits for the next entry, or, where none comes for as long as
// silence, says how far the reader has come: also while PostgreSQL is away and
// there are entries that it has not been sent, and while entries of other types
// pass by. A wait that is cut short so takes nothing from the subscription.
func nextMessage(ctx context.Context, events events, silence time.Duration) (*bookingsv1.StreamEventsResponse, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, silence, errSilent)
	defer cancel()
	entry, err := events.next(waiting)
	switch {
	case errors.Is(err, errSilent):
		checkpoint := &bookingsv1.StreamCheckpoint{Sequence: events.Cursor().Sequence, Id: events.Cursor().ID}
		return &bookingsv1.StreamEventsResponse{Checkpoint: checkpoint}, nil
	case err != nil:
		return nil, err
	}
	event, err := toEvent(entry)
	if err != nil {
		return nil, err
	}
	return &bookingsv1.StreamEventsResponse{Event: event}, nil
}

// send cuts off a caller who does not read for so long that one message cannot
// leave: it cannot be taken back, so that no error could follow it. One who
// reads slowly is only late: the subscription waits for him.
func send(ctx context.Context, stream *eventStream, message *bookingsv1.StreamEventsResponse) error {
	deadline := time.Now().Add(sendWithin)
	middleware.From(ctx).WriteUntil(deadline)
	defer middleware.From(ctx).WriteUntil(time.Time{})
	err := stream.Send(message)
	switch {
	case !time.Now().Before(deadline): // also without an error: nobody is told of a failed flush
		return booking.Errorf(booking.ReasonRateLimited, "the stream is not read: resume after the last number received")
	case err != nil:
		return fmt.Errorf("send a message of a stream: %w: %w", context.Canceled, err)
	}
	return nil
}
