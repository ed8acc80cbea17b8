package booking_test

import (
	"reflect"
	"testing"
	"time"

	"bookings/internal/booking"
)

// day is a closing of ben's, of so long.
func day(length time.Duration) booking.Closing {
	return booking.Closing{ProviderID: provider.ID, From: now, To: now.Add(length), Reason: "ill"}
}

func TestAClosingIsOfAProviderAndOfAMonthAtMost(t *testing.T) {
	t.Parallel()
	unnamed, others := day(time.Hour), day(time.Hour)
	unnamed.ProviderID, others.ProviderID = "", "dora"
	for _, test := range []struct {
		name    string
		by      booking.Actor
		closing booking.Closing
		reason  booking.Reason
		field   string
	}{
		{"own", provider, day(time.Hour), "", ""},
		{"own, unnamed", provider, unnamed, "", ""},
		{"another's", provider, others, booking.ReasonNotAllowed, ""},
		{"internal", booking.Internal, day(time.Hour), "", ""},
		{"internal, unnamed", booking.Internal, unnamed, booking.ReasonValidationFailed, "provider_id"},
		{"a customer's", customer, day(time.Hour), booking.ReasonNotAllowed, ""},
		{"a customer's, unnamed", customer, unnamed, booking.ReasonNotAllowed, ""},
		{"a microsecond", provider, day(time.Microsecond), "", ""},
		{"no microsecond", provider, day(999), booking.ReasonValidationFailed, "start_time_to"},
		{"turned round", provider, day(-time.Hour), booking.ReasonValidationFailed, "start_time_to"},
		{"turned round, a customer's", customer, day(-time.Hour), booking.ReasonValidationFailed, "start_time_to"},
		{"31 days", provider, day(31 * 24 * time.Hour), "", ""},
		{"a microsecond more", provider, day(31*24*time.Hour + time.Microsecond), booking.ReasonValidationFailed, "start_time_to"},
	} {
		resolved, err := test.closing.Resolve(test.by)
		if reasonOf(t, err) != test.reason || fieldOf(err) != test.field || err == nil && resolved.ProviderID != provider.ID {
			t.Errorf("%s: %+v, %v", test.name, resolved, err)
		}
	}
}

func TestAClosingCancelsWhatStartsInItsTimeAndIsStillOn(t *testing.T) {
	t.Parallel()
	for _, status := range statuses {
		for startsIn, inTime := range map[time.Duration]bool{
			-time.Microsecond: false, 0: true, 24*time.Hour - time.Microsecond: true, 24 * time.Hour: false,
		} {
			before := booked(status, startsIn)
			after, event, err := day(24*time.Hour).Cancel().Apply(before, provider, "", now)
			switch {
			case err != nil:
				t.Errorf("%s, starts in %v: %v", status, startsIn, err)
			case inTime && status.Active():
				want := booking.Cancellation{Reason: "ill", By: booking.RoleProvider, Time: now}
				if after.Status != booking.StatusCancelled || *after.Cancellation != want || event.Type != booking.EventCancelled || *event.Data.Reason != "ill" {
					t.Errorf("%s, starts in %v: %+v, %+v", status, startsIn, after, event)
				}
			case event != nil || !reflect.DeepEqual(after, before):
				t.Errorf("%s, starts in %v: %+v, %+v", status, startsIn, after, event)
			}
		}
	}
}
