package rpcapi

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
	"bookings/internal/middleware"
)

// sendWithin is how long one message of a stream may take to leave.
const sendWithin = 5 * time.Second

type eventStream = connect.ServerStream[bookingsv1.StreamEventsResponse]

// StreamEvents implements the method of the proto.
func (s *eventService) StreamEvents(ctx context.Context, r *bookingsv1.StreamEventsRequest, stream *eventStream) error {
	key, err := feedOf(ctx, r)
	if err != nil {
		return err
	}
	caller := identity.From(ctx)
	subscription, err := s.feeds.Subscribe(ctx, key, r.AfterSequence, mostReaders(caller))
	if err != nil {
		return err
	}
	defer subscription.Close()
	if subscription.Refusal != nil {
		return subscription.Refusal
	}
	ctx, cancel := untilExpiry(ctx, caller)
	defer cancel()
	return relay(ctx, subscription, stream)
}

// mostReaders is how many sockets and streams the caller may hold here; services
// of ours as many as they like.
func mostReaders(caller identity.Caller) int {
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

// relay sends each entry until the subscription or its context ends, at first
// the headers alone: the caller sees that the stream is open.
func relay(ctx context.Context, subscription *feed.Subscription, stream *eventStream) error {
	if err := send(ctx, stream, nil); err != nil {
		return err
	}
	for {
		entry, err := subscription.Next(ctx)
		if err != nil {
			return err
		}
		event, err := toEvent(entry)
		if err != nil {
			return err
		}
		if err := send(ctx, stream, &bookingsv1.StreamEventsResponse{Event: event}); err != nil {
			return err
		}
	}
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
		return booking.Errorf(booking.ReasonRateLimited, "the stream is not read: resume after the last entry received")
	case err != nil:
		return fmt.Errorf("send an event: %w: %w", context.Canceled, err)
	}
	return nil
}
