package booking_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

// transitions say what becomes of a booking in each status, in the order
// PENDING, CONFIRMED, CANCELLED, COMPLETED, NO_SHOW: its new status, "=" where
// the change holds already, "-" where it is INVALID_TRANSITION. Customers who
// never may are in the rights.
var transitions = []struct {
	action  booking.Action
	role    booking.Role
	started bool
	becomes string
}{
	{booking.ActionConfirm, booking.RoleProvider, false, "CONFIRMED = - - -"},
	{booking.ActionConfirm, booking.RoleProvider, true, "CONFIRMED = - - -"},
	{booking.ActionConfirm, booking.RoleInternal, false, "CONFIRMED = - - -"},
	{booking.ActionConfirm, booking.RoleInternal, true, "CONFIRMED = - - -"},

	{booking.ActionReschedule, booking.RoleCustomer, false, "PENDING PENDING - - -"},
	{booking.ActionReschedule, booking.RoleCustomer, true, "- - - - -"},
	{booking.ActionReschedule, booking.RoleProvider, false, "PENDING CONFIRMED - - -"},
	{booking.ActionReschedule, booking.RoleProvider, true, "PENDING CONFIRMED - - -"},
	{booking.ActionReschedule, booking.RoleInternal, false, "PENDING CONFIRMED - - -"},
	{booking.ActionReschedule, booking.RoleInternal, true, "PENDING CONFIRMED - - -"},

	{booking.ActionCancel, booking.RoleCustomer, false, "CANCELLED CANCELLED = - -"},
	{booking.ActionCancel, booking.RoleCustomer, true, "- - = - -"},
	{booking.ActionCancel, booking.RoleProvider, false, "CANCELLED CANCELLED = - -"},
	{booking.ActionCancel, booking.RoleProvider, true, "CANCELLED CANCELLED = - -"},
	{booking.ActionCancel, booking.RoleInternal, false, "CANCELLED CANCELLED = - -"},
	{booking.ActionCancel, booking.RoleInternal, true, "CANCELLED CANCELLED = - -"},

	{booking.ActionComplete, booking.RoleProvider, false, "- - - = -"},
	{booking.ActionComplete, booking.RoleProvider, true, "- COMPLETED - = -"},
	{booking.ActionComplete, booking.RoleInternal, false, "- - - = -"},
	{booking.ActionComplete, booking.RoleInternal, true, "- COMPLETED - = -"},

	{booking.ActionMarkNoShow, booking.RoleProvider, false, "- - - - ="},
	{booking.ActionMarkNoShow, booking.RoleProvider, true, "- NO_SHOW - - ="},
	{booking.ActionMarkNoShow, booking.RoleInternal, false, "- - - - ="},
	{booking.ActionMarkNoShow, booking.RoleInternal, true, "- NO_SHOW - - ="},
}

func TestATransitionIsTheTablesOrRefused(t *testing.T) {
	t.Parallel()
	for _, row := range transitions {
		startsIn := []time.Duration{time.Microsecond, time.Hour}
		if row.started {
			startsIn = []time.Duration{0, -time.Hour}
		}
		for _, in := range startsIn {
			for i, want := range strings.Fields(row.becomes) {
				before := booked(statuses[i], in)
				if got := outcome(t, before, actorOf(row.role), change(row.action)); got != want {
					t.Errorf("%s by %s, %s, starts in %v: %s, want %s", row.action, row.role, before.Status, in, got, want)
				}
			}
		}
	}
}

func actorOf(role booking.Role) booking.Actor {
	for _, actor := range everyone {
		if actor.Role == role {
			return actor
		}
	}
	panic("no actor in the role " + role)
}

// outcome spells what a change does as the table does.
func outcome(t *testing.T, before booking.Booking, by booking.Actor, c booking.Change) string {
	t.Helper()
	after, event, err := c.Apply(before, by, "", now)
	switch reason := reasonOf(t, err); {
	case reason == booking.ReasonInvalidTransition:
		return "-"
	case reason != "":
		return string(reason)
	case event == nil && reflect.DeepEqual(after, before):
		return "="
	case event == nil:
		return "changed without an event"
	}
	return string(after.Status)
}

func TestAChangeMovesTheVersionAndNothingElseThatStays(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		before := booked(booking.StatusConfirmed, -time.Hour)
		if action == booking.ActionConfirm {
			before.Status = booking.StatusPending
		}
		after, event, err := change(action).Apply(before, provider, before.Etag(), now)
		if err != nil || event == nil {
			t.Fatalf("%s: event %v, %v", action, event, err)
		}
		if after.Version != before.Version+1 || !after.UpdateTime.Equal(now) || after.Etag() != `W/"8"` {
			t.Errorf("%s: version %d, etag %s, updated at %v", action, after.Version, after.Etag(), after.UpdateTime)
		}
		if after.ID != before.ID || after.Note != before.Note || !after.CreateTime.Equal(before.CreateTime) ||
			after.ProviderID != before.ProviderID || after.CustomerID != before.CustomerID {
			t.Errorf("%s changed what never changes: %+v", action, after)
		}
	}
}

func TestOnlyAMoveMovesTheSlot(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		before := booked(booking.StatusConfirmed, -time.Hour)
		if action == booking.ActionConfirm {
			before.Status = booking.StatusPending
		}
		after, _, err := change(action).Apply(before, provider, "", now)
		if err != nil {
			t.Fatal(err)
		}
		moved := !after.Slot.Equal(before.Slot)
		if moved != (action == booking.ActionReschedule) || moved != (after.Moves == before.Moves+1) {
			t.Errorf("%s: slot %v, %d moves", action, after.Slot, after.Moves)
		}
	}
}

func TestACancellationSaysHow(t *testing.T) {
	t.Parallel()
	for _, by := range everyone {
		after, _, err := booking.Cancel("").Apply(booked(booking.StatusPending, time.Hour), by, "", now)
		if err != nil {
			t.Fatal(err)
		}
		want := &booking.Cancellation{Reason: "", By: by.Role, Time: now}
		if !reflect.DeepEqual(after.Cancellation, want) {
			t.Errorf("by %s: %+v", by.Role, after.Cancellation)
		}
	}
}

// Whoever holds an old etag and asks for what already is gets it.
func TestAChangeThatHoldsIsNoChangeWhateverTheEtag(t *testing.T) {
	t.Parallel()
	holding := map[booking.Action]booking.Status{
		booking.ActionConfirm: booking.StatusConfirmed, booking.ActionCancel: booking.StatusCancelled,
		booking.ActionComplete: booking.StatusCompleted, booking.ActionMarkNoShow: booking.StatusNoShow,
	}
	for action, status := range holding {
		before := booked(status, time.Hour)
		after, event, err := change(action).Apply(before, provider, `W/"1"`, now)
		if err != nil || event != nil || !reflect.DeepEqual(after, before) {
			t.Errorf("%s: %+v, event %v, %v", action, after, event, err)
		}
	}
}

func TestAMoveToTheSameTimesIsNoChange(t *testing.T) {
	t.Parallel()
	for _, by := range everyone {
		for _, startsIn := range []time.Duration{time.Hour, -time.Hour} {
			before := booked(booking.StatusConfirmed, startsIn)
			again := booking.Slot{Start: before.Slot.Start.In(time.FixedZone("", 3600)), End: before.Slot.End}
			after, event, err := booking.Reschedule(again, 0).Apply(before, by, `W/"1"`, now)
			if err != nil || event != nil || !reflect.DeepEqual(after, before) {
				t.Errorf("by %s, starts in %v: %+v, event %v, %v", by.Role, startsIn, after, event, err)
			}
		}
	}
}

func TestAMoveOfEitherEndIsAChange(t *testing.T) {
	t.Parallel()
	before := booked(booking.StatusPending, time.Hour)
	for _, to := range []booking.Slot{
		{Start: before.Slot.Start.Add(time.Microsecond), End: before.Slot.End},
		{Start: before.Slot.Start, End: before.Slot.End.Add(time.Microsecond)},
	} {
		after, event, err := booking.Reschedule(to, 0).Apply(before, customer, "", now)
		if err != nil || event == nil || !after.Slot.Equal(to) {
			t.Errorf("to %v: %v, event %v, %v", to, after.Slot, event, err)
		}
	}
}

// The order of checks: what is done already, the etag, the transition, the rules.
func TestAnOldEtagIsSaidBeforeTheRules(t *testing.T) {
	t.Parallel()
	past := booking.Reschedule(hourFrom(now.Add(-time.Hour)), 0)
	tests := map[string]struct {
		booking booking.Booking
		by      booking.Actor
		change  booking.Change
		without booking.Reason
	}{
		"allowed":       {booked(booking.StatusPending, time.Hour), provider, booking.Confirm(), ""},
		"wrong status":  {booked(booking.StatusNoShow, time.Hour), provider, booking.Confirm(), booking.ReasonInvalidTransition},
		"too early":     {booked(booking.StatusConfirmed, time.Hour), provider, booking.Complete(), booking.ReasonInvalidTransition},
		"too late":      {booked(booking.StatusConfirmed, -time.Hour), customer, booking.Cancel(""), booking.ReasonInvalidTransition},
		"into the past": {booked(booking.StatusConfirmed, time.Hour), customer, past, booking.ReasonStartInPast},
	}
	for name, test := range tests {
		for etag, want := range map[string]booking.Reason{
			"": test.without, test.booking.Etag(): test.without, `W/"6"`: booking.ReasonEtagMismatch, `"7"`: booking.ReasonEtagMismatch,
		} {
			after, event, err := do(test.booking, test.by, test.change, etag)
			if got := reasonOf(t, err); got != want {
				t.Errorf("%s, etag %q: %q, want %q", name, etag, got, want)
			}
			if err != nil && (event != nil || !reflect.DeepEqual(after, test.booking)) {
				t.Errorf("%s, etag %q: refused, and yet %+v, event %v", name, etag, after, event)
			}
		}
	}
}

func TestACustomerMovesOnlyIntoTheFuture(t *testing.T) {
	t.Parallel()
	for startsIn, want := range map[time.Duration]booking.Reason{
		time.Microsecond: "", 0: booking.ReasonStartInPast, -time.Hour: booking.ReasonStartInPast,
		3 * 366 * 24 * time.Hour: booking.ReasonValidationFailed,
	} {
		to := booking.Reschedule(hourFrom(now.Add(startsIn)), 0)
		_, _, err := to.Apply(booked(booking.StatusConfirmed, 30*time.Hour), customer, "", now)
		if got := reasonOf(t, err); got != want || (err != nil && fieldOf(err) != "start_time") {
			t.Errorf("to a start in %v: %v, want %q", startsIn, err, want)
		}
	}
}

func TestOthersMoveIntoThePast(t *testing.T) {
	t.Parallel()
	for _, by := range []booking.Actor{provider, booking.Internal} {
		after, _, err := booking.Reschedule(hourFrom(now.Add(-time.Hour)), 0).Apply(booked(booking.StatusConfirmed, time.Hour), by, "", now)
		if err != nil || after.Reminder.State != booking.ReminderSkipped {
			t.Errorf("by %s: %+v, %v", by.Role, after.Reminder, err)
		}
	}
}

// Moves are counted whoever makes them, and the count is said before the slot's
// faults, as no other slot would help. The same slot again is no move.
func TestABookingIsMovedAHundredTimes(t *testing.T) {
	t.Parallel()
	for _, by := range everyone {
		for moves, want := range map[int32]booking.Reason{99: "", 100: booking.ReasonTooManyMoves, 1000: booking.ReasonTooManyMoves} {
			before := booked(booking.StatusConfirmed, time.Hour)
			before.Moves = moves
			for _, to := range []booking.Slot{elsewhere, hourFrom(now.AddDate(3, 0, 0))} {
				_, _, err := booking.Reschedule(to, 0).Apply(before, by, "", now)
				if got := reasonOf(t, err); got != want && (want != "" || got != booking.ReasonValidationFailed) {
					t.Errorf("by %s after %d moves: %q, want %q", by.Role, moves, got, want)
				}
			}
			if _, event, err := booking.Reschedule(before.Slot, 0).Apply(before, by, "", now); event != nil || err != nil {
				t.Errorf("by %s after %d moves, to the same slot: event %v, %v", by.Role, moves, event, err)
			}
			if offered := slices.Contains(before.AllowedActions(by, now), booking.ActionReschedule); offered != (want == "" || by == booking.Internal) {
				t.Errorf("by %s after %d moves: a move is offered: %t", by.Role, moves, offered)
			}
		}
	}
}
