package bookingsvc

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
	"bookings/internal/pgerror"
	"bookings/internal/remind"
)

// Target is the booking that a change is about, perhaps only in the version that
// the caller saw: whoever decides by what is on the screen must not change what
// somebody else has changed meanwhile.
type Target struct {
	ID uuid.UUID
	// Etag is the version that the caller saw; empty for any.
	Etag string
}

// Change makes a change that booking.Confirm, Cancel, Complete, MarkNoShow or Update
// describe, and answers the booking as it is then. It fails with NOT_ALLOWED,
// BOOKING_NOT_FOUND, or as booking.Change.Apply does.
func (s *Service) Change(ctx context.Context, by booking.Actor, target Target, change booking.Change) (booking.Booking, error) {
	return s.change(ctx, by, target, change, false)
}

// Move is a new slot for a booking.
type Move struct {
	Slot booking.Slot
	// ValidateOnly checks everything and moves nothing.
	ValidateOnly bool
}

// Reschedule moves a booking in place. It fails as Change does, and with
// SLOT_TAKEN, TOO_MANY_PENDING or TOO_MANY_MOVES.
func (s *Service) Reschedule(ctx context.Context, by booking.Actor, target Target, move Move) (booking.Booking, error) {
	slot, err := booking.NewSlot(move.Slot.Start, move.Slot.End)
	if err != nil {
		return booking.Booking{}, err
	}
	b, err := s.change(ctx, by, target, booking.Reschedule(slot, s.Terms.PendingTTL), move.ValidateOnly)
	if err == nil && move.ValidateOnly {
		b = withoutIdentity(b)
	}
	return b, err
}

// change is every change of a booking. The order of its checks keeps answers from
// telling too much: the role, before anything is read; whether there is such a
// booking of the caller's (bookingdb.ReadParties); then what the booking allows. The
// clock is read under the locks: a change that has waited for another is judged
// by the time at which it is made.
func (s *Service) change(ctx context.Context, by booking.Actor, target Target, change booking.Change, validateOnly bool) (booking.Booking, error) {
	if err := change.Authorize(by); err != nil {
		return booking.Booking{}, err
	}
	parties, err := bookingdb.ReadParties(ctx, s.Pool, target.ID, by)
	if err != nil {
		return booking.Booking{}, pgerror.Explain(err)
	}
	return s.changeOf(ctx, by, parties, target.Etag, change, validateOnly)
}

// changeOf is a change of a booking whose parties are known, in three round trips:
// BEGIN with the locks, what is written, COMMIT.
func (s *Service) changeOf(
	ctx context.Context, by booking.Actor, parties bookingdb.Parties, etag string, change booking.Change, validateOnly bool,
) (after booking.Booking, err error) {
	var before booking.Booking
	lock := func(batch *pgbatch.Batch) error {
		bookingdb.QueueLock(batch, parties, &before)
		return nil
	}
	err = s.inTx(ctx, parties.ProviderID, lock, func(tx pgx.Tx) ([]feed.Entry, error) {
		var event *booking.Event
		after, event, err = change.Apply(before, by, etag, s.now())
		if err != nil || event == nil {
			return nil, err // without an event there was nothing left to do
		}
		if err := s.checkPending(ctx, tx, before, after, by); err != nil {
			return nil, err
		}
		entries, err := s.update(ctx, tx, before, &after, *event)
		if err == nil && validateOnly {
			err = errRollback
		}
		return entries, err
	})
	return after, err
}

// update writes a changed booking with its jobs and its event, in one round trip. Where
// the new slot is taken, the statement finds it and writes nothing: an error of the
// database would cost more than the answer (see newBooking).
func (s *Service) update(
	ctx context.Context, tx pgx.Tx, before booking.Booking, after *booking.Booking, event booking.Event,
) (entries []feed.Entry, err error) {
	var batch pgbatch.Batch
	updated := bookingdb.QueueUpdate(&batch, before, after)
	if err := s.moveJobs(ctx, &batch, before, *after); err != nil {
		return nil, err
	}
	feed.Append(&batch, event, &entries)
	if err := batch.Send(ctx, tx); err != nil {
		return nil, fmt.Errorf("update a booking: %w", err)
	}
	if !*updated {
		return nil, booking.ErrSlotTaken // and the jobs are as they were
	}
	return entries, nil
}

// checkPending counts only where a change would make a booking PENDING that
// was not: a customer's move of a confirmed one. The provider's feed is locked,
// so no create can add one between the count and the commit.
func (s *Service) checkPending(ctx context.Context, tx pgx.Tx, before, after booking.Booking, by booking.Actor) error {
	if before.Status == booking.StatusPending || after.Status != booking.StatusPending {
		return nil
	}
	others, err := queries.BookingCountPending(ctx, tx, pendingParams(after))
	if err != nil {
		return fmt.Errorf("count pending bookings: %w", err)
	}
	return booking.CheckPending(after, by, others, s.MaxPending)
}

// pendingParams count a customer's PENDING bookings beside this one.
func pendingParams(b booking.Booking) sqlc.BookingCountPendingParams {
	return sqlc.BookingCountPendingParams{CustomerID: b.CustomerID, ProviderID: b.ProviderID, Now: b.UpdateTime, Besides: b.ID}
}

// moveJobs keeps the jobs of a booking's reminder and expiry in step with it. A job
// is unique by booking and number of moves, so a move needs new ones, and takes back
// the old ones where they still wait. One that runs at this moment is let run: its
// worker waits for our locks, then reads the booking and finds that it has nothing to
// do. A confirmation leaves the reminder's job as it is.
func (s *Service) moveJobs(ctx context.Context, batch *pgbatch.Batch, before, after booking.Booking) error {
	moved := after.Moves != before.Moves
	if moved || after.Reminder.State != before.Reminder.State {
		remind.Cancel(batch, before.Reminder, after.UpdateTime)
	}
	if moved || after.Status != before.Status {
		expire.Cancel(batch, before.Expiry, after.UpdateTime)
	}
	if !moved {
		return nil
	}
	return insertJobs(ctx, batch, s.Jobs, after)
}
