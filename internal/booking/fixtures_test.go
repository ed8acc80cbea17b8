package booking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

// now is what time it is in these tests.
var now = time.Date(2031, 3, 4, 9, 30, 0, 0, time.UTC)

const lead = 10 * time.Minute

// leads are those of the setting.
var (
	leads = booking.Leads{lead}
	terms = booking.Terms{Leads: leads}
)

var (
	customer = booking.Actor{Role: booking.RoleCustomer, ID: "anna"}
	provider = booking.Actor{Role: booking.RoleProvider, ID: "ben"}
)

var (
	everyone = []booking.Actor{customer, provider, booking.Internal}
	statuses = []booking.Status{
		booking.StatusPending, booking.StatusConfirmed, booking.StatusCancelled, booking.StatusCompleted, booking.StatusNoShow,
	}
	// actions are in the order in which they are shown.
	actions = []booking.Action{
		booking.ActionConfirm, booking.ActionReschedule, booking.ActionCancel, booking.ActionComplete, booking.ActionMarkNoShow,
	}
)

// booked is an hour of anna's at ben's.
func booked(status booking.Status, startsIn time.Duration) booking.Booking {
	b := booking.Booking{
		ID:         uuid.MustParse("01977d4e-3c1a-7c2b-9d5e-0123456789ab"),
		ProviderID: provider.ID,
		CustomerID: customer.ID,
		Slot:       hourFrom(now.Add(startsIn)),
		Status:     status,
		Details:    booking.Details{Note: "a note", Metadata: booking.Metadata{"service": "cut", "price": "20"}},
		Reminder:   booking.Reminder{Leads: leads, DueTime: now.Add(startsIn - lead), State: booking.ReminderSkipped},
		Version:    7,
		Moves:      2,
		CreateTime: now.Add(-48 * time.Hour),
		UpdateTime: now.Add(-24 * time.Hour),
	}
	if status.Active() {
		b.Reminder.State = booking.ReminderScheduled
	}
	if status == booking.StatusCancelled {
		b.Cancellation = &booking.Cancellation{Reason: "ill", By: booking.RoleCustomer, Time: b.UpdateTime}
	}
	return b
}

func hourFrom(start time.Time) booking.Slot {
	return booking.Slot{Start: start, End: start.Add(time.Hour)}
}

// elsewhere is a slot that booked never gives.
var elsewhere = hourFrom(now.Add(100 * time.Hour))

func change(action booking.Action) booking.Change {
	switch action {
	case booking.ActionConfirm:
		return booking.Confirm()
	case booking.ActionReschedule:
		return booking.Reschedule(elsewhere, 0)
	case booking.ActionCancel:
		return booking.Cancel("ill")
	case booking.ActionComplete:
		return booking.Complete()
	default:
		return booking.MarkNoShow()
	}
}

// do is what a use case does: the role first, then the booking.
func do(b booking.Booking, by booking.Actor, c booking.Change, etag string) (booking.Booking, *booking.Event, error) {
	if err := c.Authorize(by); err != nil {
		return b, nil, err
	}
	return c.Apply(b, by, etag, now)
}

// reasonOf is why something failed, empty where it did not.
func reasonOf(t *testing.T, err error) booking.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	known, ok := errors.AsType[*booking.Error](err)
	if !ok {
		t.Fatalf("%v is not for callers", err)
	}
	return known.Reason
}

// fieldOf is the field that a failure is about.
func fieldOf(err error) string {
	known, ok := errors.AsType[*booking.Error](err)
	if !ok || len(known.Fields) != 1 {
		return ""
	}
	return known.Fields[0].Field
}
