package bookingsvc

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/bookingdb"
)

// Outcome is what became of one of several bookings.
type Outcome struct {
	ID uuid.UUID
	// Booking is as it is now, where Err is nil.
	Booking booking.Booking
	Err     error
}

// CancelAll cancels what a closing is about, the earliest first, at most
// MaxPageSize bookings, and tells what became of each. more tells that some were not
// tried: there are more, or the context's time has run short. It fails as
// booking.Closing.Resolve does.
//
// One after the other, since all of them wait for the lock of the provider's feed;
// and each for itself, since together they would hold it, and the feeds of
// all these customers, for as long as the slowest.
func (s *Service) CancelAll(ctx context.Context, by booking.Actor, closing booking.Closing) (outcomes []Outcome, more bool, err error) {
	closing, err = closing.Resolve(by)
	if err != nil {
		return nil, false, err
	}
	inTime, stop := whileTime(ctx)
	defer stop()
	listed, next, err := s.List(ctx, by, ListRequest{
		ProviderID: closing.ProviderID, From: closing.From, To: closing.To, PageSize: MaxPageSize,
		Statuses: []booking.Status{booking.StatusPending, booking.StatusConfirmed},
	})
	if err != nil {
		return nil, false, err
	}
	for _, b := range listed {
		if inTime.Err() != nil {
			return outcomes, true, nil
		}
		parties := bookingdb.Parties{ID: b.ID, ProviderID: b.ProviderID, CustomerID: b.CustomerID}
		after, err := s.changeOf(ctx, by, parties, "", closing.Cancel(), false)
		outcomes = append(outcomes, Outcome{ID: b.ID, Booking: after, Err: err})
	}
	return outcomes, next != "", nil
}

// whileTime ends before its parent does, while three eighths of the time are left:
// what has begun needs time to end, and the answer to leave.
func whileTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*5/8)
}
