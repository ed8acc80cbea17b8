package booking_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

const ttl = 6 * time.Hour

func TestAPendingBookingExpiresAtItsStartAtTheLatest(t *testing.T) {
	t.Parallel()
	for startsIn, want := range map[time.Duration]time.Duration{48 * time.Hour: ttl, ttl: ttl, time.Hour: time.Hour} {
		request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now.Add(startsIn))}
		made, _, err := booking.New(uuid.Max, customer, request, now, booking.Terms{Leads: leads, PendingTTL: ttl})
		if err != nil {
			t.Fatal(err)
		}
		moved, _, err := booking.Reschedule(request.Slot, ttl).Apply(booked(booking.StatusPending, 99*time.Hour), provider, "", now)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []booking.Booking{made, moved} {
			if b.Expiry == nil || !b.Expiry.Time.Equal(now.Add(want)) {
				t.Errorf("starts in %v: expires %+v, not in %v", startsIn, b.Expiry, want)
			}
		}
	}
}

// A provider may record what has been, and confirm it then.
func TestAPendingBookingThatIsMovedIntoThePastDoesNotExpire(t *testing.T) {
	t.Parallel()
	for _, startsIn := range []time.Duration{0, -time.Hour} {
		b, _, err := booking.Reschedule(hourFrom(now.Add(startsIn)), ttl).Apply(booked(booking.StatusPending, 99*time.Hour), provider, "", now)
		if err != nil || b.Status != booking.StatusPending || b.Expiry != nil {
			t.Errorf("%s, %+v, %v", b.Status, b.Expiry, err)
		}
	}
}

func TestAnExpiryCancelsOnlyWhatWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	expiry := &booking.Expiry{Time: now, JobID: 42}
	for name, test := range map[string]struct {
		status booking.Status
		moves  int32
		expiry *booking.Expiry
		want   bool
	}{
		"pending":           {booking.StatusPending, 2, expiry, true},
		"confirmed":         {booking.StatusConfirmed, 2, nil, false},
		"not taken away":    {booking.StatusConfirmed, 2, expiry, false},
		"cancelled":         {booking.StatusCancelled, 2, nil, false},
		"moved since":       {booking.StatusPending, 1, expiry, false},
		"of another future": {booking.StatusPending, 3, expiry, false},
		"never":             {booking.StatusPending, 2, nil, false},
	} {
		b := booked(test.status, time.Hour)
		b.Expiry = test.expiry
		after, event, err := b.Expire(test.moves, now)
		if err != nil || (event != nil) != test.want || !test.want && !reflect.DeepEqual(after, b) {
			t.Errorf("%s: %+v, %+v, %v", name, after, event, err)
		}
		if !test.want {
			continue
		}
		want := common(after)
		want["reason"], want["cancelledBy"] = "expired", "ROLE_SYSTEM"
		checkEvent(t, *event, booking.EventCancelled, booking.System, after, want)
		if after.Status != booking.StatusCancelled || after.Cancellation.By != booking.RoleSystem || after.Expiry != nil || after.Reminder.State != booking.ReminderSkipped {
			t.Errorf("%s: %+v", name, after)
		}
	}
}
