package bookingsvc

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/remind"
	"bookings/internal/requestid"
)

// Target is the booking that a change is about.
type Target struct {
	ID uuid.UUID
	// Etag is the version that the caller saw; empty for any.
	Etag string
}

// Change makes a change that booking.Confirm, Cancel, Complete or MarkNoShow
// describe, and answers the booking as it is then. It fails with NOT_ALLOWED,
// BOOKING_NOT_FOUND, or as booking.Change.Apply does.
func (s *Service) Change(ctx context.Context, by booking.Actor, target Target, change booking.Change) (booking.Booking, error) {
	return s.change(ctx, by, target, change, false)
}

// Move is a new slot for a booking.
type Move struct {
	StartTime time.Time
	EndTime   time.Time
	// ValidateOnly checks everything and moves nothing.
	ValidateOnly bool
}

// Reschedule moves a booking in place. It fails as Change does, and with
// SLOT_TAKEN or TOO_MANY_PENDING.
func (s *Service) Reschedule(ctx context.Context, by booking.Actor, target Target, move Move) (booking.Booking, error) {
	slot, err := booking.NewSlot(move.StartTime, move.EndTime)
	if err != nil {
		return booking.Booking{}, err
	}
	b, err := s.change(ctx, by, target, booking.Reschedule(slot, s.ReminderLead), move.ValidateOnly)
	if err == nil && move.ValidateOnly {
		b = withoutIdentity(b)
	}
	return b, err
}

func (s *Service) change(ctx context.Context, by booking.Actor, target Target, change booking.Change, validateOnly bool) (booking.Booking, error) {
	if err := booking.Authorize(by, change.Action); err != nil {
		return booking.Booking{}, err
	}
	var after booking.Booking
	err := s.inTx(ctx, validateOnly, func(tx pgx.Tx) ([]feed.Entry, error) {
		before, err := bookingdb.Lock(ctx, tx, target.ID, by)
		if err != nil {
			return nil, err
		}
		var event *booking.Event
		after, event, err = change.Apply(before, by, target.Etag, s.now())
		if err != nil || event == nil {
			return nil, err
		}
		if err := s.checkPending(ctx, tx, before, after, by); err != nil {
			return nil, err
		}
		if after, err = s.moveJob(ctx, tx, before, after); err != nil {
			return nil, err
		}
		if err := queries.BookingUpdate(ctx, tx, bookingdb.UpdateParams(after)); err != nil {
			return nil, fmt.Errorf("update a booking: %w", err)
		}
		return feed.Append(ctx, tx, *event)
	})
	return after, err
}

// checkPending counts only where a change would make a booking PENDING that
// was not: a customer's move of a confirmed one.
func (s *Service) checkPending(ctx context.Context, tx pgx.Tx, before, after booking.Booking, by booking.Actor) error {
	if before.Status == booking.StatusPending || after.Status != booking.StatusPending {
		return nil
	}
	others, err := queries.BookingCountPending(ctx, tx, sqlc.BookingCountPendingParams{
		CustomerID: after.CustomerID, ProviderID: after.ProviderID, Now: after.UpdateTime, Besides: after.ID,
	})
	if err != nil {
		return fmt.Errorf("count pending bookings: %w", err)
	}
	return booking.CheckPending(after, by, others, s.MaxPending)
}

// moveJob keeps the reminder's job in step with the booking.
func (s *Service) moveJob(ctx context.Context, tx pgx.Tx, before, after booking.Booking) (booking.Booking, error) {
	moved := after.Moves != before.Moves
	if moved || after.Reminder.State != before.Reminder.State {
		if err := remind.Cancel(ctx, s.Jobs, tx, before.Reminder); err != nil {
			return after, err
		}
	}
	if !moved {
		return after, nil
	}
	return remind.Schedule(ctx, s.Jobs, tx, after, requestid.From(ctx))
}
