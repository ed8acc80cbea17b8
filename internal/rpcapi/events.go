package rpcapi

import (
	"context"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
)

// Page sizes of ListEvents.
const (
	defaultEvents = 100
	maxEvents     = 500
)

// eventService implements bookings.v1.EventService.
type eventService struct {
	feeds *feed.Hub
	// silence is how long a stream goes without a message before a checkpoint.
	silence time.Duration
}

// feedRequest is a request that names a feed.
type feedRequest interface {
	GetRole() bookingsv1.Role
	GetUserId() string
}

// feedOf is the feed that a request is about: the caller's own, or, for internal
// services, the one named. It fails with NOT_ALLOWED or VALIDATION_FAILED.
func feedOf(ctx context.Context, r feedRequest) (feed.Key, error) {
	caller := identity.From(ctx)
	by := caller.Actor
	if by.Role == booking.RoleInternal {
		return namedFeed(r)
	}
	if r.GetRole() != bookingsv1.Role_ROLE_UNSPECIFIED && r.GetRole() != toRole(by.Role) ||
		r.GetUserId() != "" && r.GetUserId() != by.ID {
		return feed.Key{}, booking.Errorf(booking.ReasonNotAllowed, "a %s reads the own feed only", by.Role)
	}
	return feed.Key{Role: by.Role, User: by.ID}, nil
}

func namedFeed(r feedRequest) (feed.Key, error) {
	key := feed.Key{User: r.GetUserId()}
	switch r.GetRole() {
	case bookingsv1.Role_ROLE_CUSTOMER:
		key.Role = booking.RoleCustomer
	case bookingsv1.Role_ROLE_PROVIDER:
		key.Role = booking.RoleProvider
	default:
		return key, booking.Invalid("role", "is required: whose feed?")
	}
	if key.User == "" {
		return key, booking.Invalid("user_id", "is required: whose feed?")
	}
	return key, nil
}

// ListEvents implements the method of the proto.
func (s *eventService) ListEvents(ctx context.Context, r *bookingsv1.ListEventsRequest) (*bookingsv1.ListEventsResponse, error) {
	key, err := feedOf(ctx, r)
	if err != nil {
		return nil, err
	}
	size := defaultEvents
	if r.GetPageSize() > 0 {
		size = min(int(r.GetPageSize()), maxEvents)
	}
	entries, head, err := s.feeds.List(ctx, key, r.AfterSequence, size)
	if err != nil {
		return nil, err
	}
	response := &bookingsv1.ListEventsResponse{Head: head}
	for _, entry := range entries {
		event, err := toEvent(entry)
		if err != nil {
			return nil, err
		}
		response.Events = append(response.Events, event)
	}
	return response, nil
}
