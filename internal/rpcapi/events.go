package rpcapi

import (
	"cmp"
	"context"
	"strings"
	"sync/atomic"
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
	// open counts the streams that are open.
	open *atomic.Int64
}

func newEventService(o Options) *eventService {
	open := o.Streams
	if open == nil {
		open = new(atomic.Int64)
	}
	return &eventService{feeds: o.Feeds, silence: cmp.Or(o.Silence, maxSilence), open: open}
}

// feedRequest is a request that names a feed and what is wanted of it.
type feedRequest interface {
	GetRole() bookingsv1.Role
	GetUserId() string
	GetAfterSequence() int64
	GetAfterId() string
	GetTypes() []string
}

// feedOf is the feed that a request is about: the caller's own, or, for internal
// services, the one named, and the feed of everything where none is. It fails with
// NOT_ALLOWED or VALIDATION_FAILED.
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
	if r.GetRole() == bookingsv1.Role_ROLE_UNSPECIFIED && key.User == "" {
		return feed.All, nil
	}
	switch r.GetRole() {
	case bookingsv1.Role_ROLE_CUSTOMER:
		key.Role = booking.RoleCustomer
	case bookingsv1.Role_ROLE_PROVIDER:
		key.Role = booking.RoleProvider
	default:
		return key, booking.Invalid("role", "is required beside user_id: in which role?")
	}
	if key.User == "" {
		return key, booking.Invalid("user_id", "is required beside role: whose feed?")
	}
	return key, nil
}

// pointOf is where a request goes on; nil where it does not say. numbered tells
// whether it has a number. An id without one fails with VALIDATION_FAILED: entries
// are found by their numbers.
func pointOf(r feedRequest, numbered bool) (*feed.Point, error) {
	switch {
	case numbered:
		// UUIDs may be spelled in capitals, ours are not.
		return &feed.Point{Sequence: r.GetAfterSequence(), ID: strings.ToLower(r.GetAfterId())}, nil
	case r.GetAfterId() != "":
		return nil, booking.Invalid("after_id", "needs after_sequence, the number of that entry")
	default:
		return nil, nil
	}
}

// typesOf are the types that a request names.
func typesOf(r feedRequest) []booking.EventType {
	types := make([]booking.EventType, 0, len(r.GetTypes()))
	for _, name := range r.GetTypes() {
		types = append(types, booking.EventType(name))
	}
	return types
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
	after, err := pointOf(r, r.AfterSequence != nil)
	if err != nil {
		return nil, err
	}
	page, err := s.feeds.List(ctx, key, after, typesOf(r), size)
	if err != nil {
		return nil, err
	}
	response := &bookingsv1.ListEventsResponse{
		Head: page.Head.Sequence, ThroughSequence: page.Through.Sequence, ThroughId: page.Through.ID,
	}
	for _, entry := range page.Entries {
		event, err := toEvent(entry)
		if err != nil {
			return nil, err
		}
		response.Events = append(response.Events, event)
	}
	return response, nil
}
