package booking_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestWhoMayEverTakeWhichAction(t *testing.T) {
	t.Parallel()
	customers := map[booking.Action]bool{booking.ActionReschedule: true, booking.ActionCancel: true}
	for _, action := range actions {
		for _, by := range everyone {
			want := booking.ReasonNotAllowed
			if by.Role != booking.RoleCustomer || customers[action] {
				want = ""
			}
			if got := reasonOf(t, change(action).Authorize(by)); got != want {
				t.Errorf("%s by %s: %q, want %q", action, by.Role, got, want)
			}
		}
	}
}

func TestWhoseBookingItIs(t *testing.T) {
	t.Parallel()
	b := booked(booking.StatusPending, time.Hour)
	for actor, want := range map[booking.Actor]bool{
		{Role: booking.RoleCustomer, ID: b.CustomerID}: true,
		{Role: booking.RoleCustomer, ID: b.ProviderID}: false,
		{Role: booking.RoleCustomer, ID: "Anna"}:       false,
		{Role: booking.RoleCustomer}:                   false,
		{Role: booking.RoleProvider, ID: b.ProviderID}: true,
		{Role: booking.RoleProvider, ID: b.CustomerID}: false,
		{Role: booking.RoleProvider}:                   false,
		{Role: booking.RoleInternal}:                   true,
		{Role: "admin", ID: b.CustomerID}:              false,
		{}:                                             false,
	} {
		if got := actor.Owns(b); got != want {
			t.Errorf("%+v owns it: %t", actor, got)
		}
	}
}

func TestTheOwnSideIsFilledInAndNeverAnothers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		by                 booking.Actor
		provider, customer string
		wantP, wantC       string
		reason             booking.Reason
	}{
		{by: customer, provider: "ben", wantP: "ben", wantC: "anna"},
		{by: customer, provider: "ben", customer: "anna", wantP: "ben", wantC: "anna"},
		{by: customer, provider: "ben", customer: "carl", reason: booking.ReasonNotAllowed},
		{by: customer, wantC: "anna"},
		{by: provider, customer: "anna", wantP: "ben", wantC: "anna"},
		{by: provider, provider: "ben", customer: "anna", wantP: "ben", wantC: "anna"},
		{by: provider, provider: "Ben", customer: "anna", reason: booking.ReasonNotAllowed},
		{by: booking.Internal, provider: "ben", customer: "anna", wantP: "ben", wantC: "anna"},
		{by: booking.Internal},
	}
	for _, test := range tests {
		gotP, gotC, err := test.by.Parties(test.provider, test.customer)
		if reasonOf(t, err) != test.reason || gotP != test.wantP || gotC != test.wantC {
			t.Errorf("%s names %q and %q: %q, %q, %v", test.by.Role, test.provider, test.customer, gotP, gotC, err)
		}
	}
}

// What people are offered is what they can do: no button fails, none is missing.
func TestAllowedActionsAreTheOnesThatSucceed(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		b := booked(statuses[random.IntN(len(statuses))], startsAround(random))
		for _, by := range []booking.Actor{customer, provider} {
			allowed := b.AllowedActions(by, now)
			for _, action := range actions {
				_, event, err := do(b, by, change(action), "")
				if succeeds := err == nil && event != nil; succeeds != slices.Contains(allowed, action) {
					t.Fatalf("%s by %s of %s at %v: allowed %v, and yet %v", action, by.Role, b.Status, b.Slot, allowed, err)
				}
			}
		}
	}
}

// startsAround is often close to now, where the rules turn.
func startsAround(random *rand.Rand) time.Duration {
	distance := []time.Duration{time.Microsecond, time.Millisecond, 50 * time.Hour}[random.IntN(3)]
	return time.Duration(random.Int64N(2*distance.Microseconds()+1)-distance.Microseconds()) * time.Microsecond
}

// For internal services the time does not count.
func TestInternalServicesAreOfferedWhatTheStatusAllows(t *testing.T) {
	t.Parallel()
	const confirm, move, cancel = booking.ActionConfirm, booking.ActionReschedule, booking.ActionCancel
	want := map[booking.Status][]booking.Action{
		booking.StatusPending:   {confirm, move, cancel},
		booking.StatusConfirmed: {move, cancel, booking.ActionComplete, booking.ActionMarkNoShow},
	}
	for _, status := range statuses {
		for _, startsIn := range []time.Duration{-time.Hour, 0, time.Hour} {
			got := booked(status, startsIn).AllowedActions(booking.Internal, now)
			if !slices.Equal(got, want[status]) {
				t.Errorf("%s, starts in %v: %v, want %v", status, startsIn, got, want[status])
			}
		}
	}
}
