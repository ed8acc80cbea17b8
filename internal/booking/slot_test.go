package booking_test

import (
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestASlotIsAtMostALongDayAndAtLeastAMicrosecond(t *testing.T) {
	t.Parallel()
	const ns, us, day = time.Nanosecond, time.Microsecond, 25 * time.Hour // when summer time ends
	tests := map[string]struct {
		startOffset time.Duration
		length      time.Duration
		ok          bool
	}{
		"an hour":                         {0, time.Hour, true},
		"a microsecond":                   {0, us, true},
		"less than a microsecond":         {0, us - ns, false},
		"nothing":                         {0, 0, false},
		"backwards":                       {0, -time.Hour, false},
		"two nanoseconds over a boundary": {us - ns, 2 * ns, true},
		"cut to nothing":                  {ns, us - 2*ns, false},
		"a day":                           {0, day, true},
		"a day, cut":                      {0, day + us - ns, true},
		"over a day":                      {0, day + us, false},
		"a year":                          {0, 365 * day, false},
	}
	for name, test := range tests {
		start := now.Add(test.startOffset)
		_, err := booking.NewSlot(start, start.Add(test.length))
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (reasonOf(t, err) != booking.ReasonValidationFailed || fieldOf(err) != "end_time") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// PostgreSQL keeps microseconds: what is stored must be what was checked.
func TestASlotIsCutToTheMicrosecondInUTC(t *testing.T) {
	t.Parallel()
	start := time.Date(2031, 3, 4, 15, 15, 0, 123_456_999, time.FixedZone("Kathmandu", 20_700))
	slot, err := booking.NewSlot(start, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2031, 3, 4, 9, 30, 0, 123_456_000, time.UTC)
	if slot.Start != want || slot.End != want.Add(time.Hour) {
		t.Errorf("slot = %v", slot)
	}
}

// Before 1970, too, a cut goes back in time and not towards 1970.
func TestACutGoesBackInTime(t *testing.T) {
	t.Parallel()
	at := time.Date(1960, 1, 1, 0, 0, 0, 1_999, time.UTC)
	if got := booking.Microseconds(at); got.Nanosecond() != 1_000 {
		t.Errorf("cut to %v", got)
	}
}

func TestWhenASlotMayStart(t *testing.T) {
	t.Parallel()
	limit := now.AddDate(2, 0, 0)
	tests := map[string]struct {
		start    time.Time
		customer booking.Reason
		others   booking.Reason
	}{
		"soon":               {start: now.Add(time.Microsecond)},
		"now":                {start: now, customer: booking.ReasonStartInPast},
		"yesterday":          {start: now.AddDate(0, 0, -1), customer: booking.ReasonStartInPast},
		"in the first year":  {start: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), customer: booking.ReasonStartInPast},
		"two years ahead":    {start: limit},
		"over two years":     {start: limit.Add(time.Microsecond), customer: booking.ReasonValidationFailed, others: booking.ReasonValidationFailed},
		"a thousand years":   {start: now.AddDate(1000, 0, 0), customer: booking.ReasonValidationFailed, others: booking.ReasonValidationFailed},
		"before two are out": {start: limit.Add(-time.Microsecond)},
	}
	for name, test := range tests {
		for _, by := range everyone {
			want := test.others
			if by.Role == booking.RoleCustomer {
				want = test.customer
			}
			err := hourFrom(test.start).CheckStart(by, now)
			if reasonOf(t, err) != want || (err != nil && fieldOf(err) != "start_time") {
				t.Errorf("%s, by %s: %v, want %q", name, by.Role, err, want)
			}
		}
	}
}

func TestSlotsAreEqualWhereBothEndsAre(t *testing.T) {
	t.Parallel()
	slot := hourFrom(now)
	for name, test := range map[string]struct {
		other booking.Slot
		want  bool
	}{
		"the same":         {slot, true},
		"in another zone":  {booking.Slot{Start: slot.Start.In(time.FixedZone("", 60)), End: slot.End}, true},
		"another start":    {booking.Slot{Start: slot.Start.Add(1), End: slot.End}, false},
		"another end":      {booking.Slot{Start: slot.Start, End: slot.End.Add(1)}, false},
		"directly after":   {hourFrom(slot.End), false},
		"nothing was said": {booking.Slot{}, false},
	} {
		if got := slot.Equal(test.other); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
