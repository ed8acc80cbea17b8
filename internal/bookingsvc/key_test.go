package bookingsvc_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
)

func TestAKeyUsedForAnotherCallShowsNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	noted := with("a-key", forAnna(1))
	noted.Note, noted.Metadata = "a note", booking.Metadata{"a": "b", "c": "d"}
	first := d.book(anna, noted)
	others := map[string]struct {
		by     booking.Actor
		change func(*booking.Request)
	}{
		"another customer":          {carl, func(r *booking.Request) { r.CustomerID = carl.ID }},
		"the provider":              {ben, func(*booking.Request) {}},
		"an internal service":       {booking.Internal, func(*booking.Request) {}},
		"another start":             {anna, func(r *booking.Request) { r.Slot.Start = r.Slot.Start.Add(-time.Microsecond) }},
		"another end":               {anna, func(r *booking.Request) { r.Slot.End = r.Slot.End.Add(time.Microsecond) }},
		"another note":              {anna, func(r *booking.Request) { r.Note += " " }},
		"other metadata":            {anna, func(r *booking.Request) { r.Metadata = booking.Metadata{"a": "b", "c": ""} }},
		"no metadata":               {anna, func(r *booking.Request) { r.Metadata = nil }},
		"a start that has come":     {anna, func(r *booking.Request) { r.Slot.Start = noon }},
		"another slot that is free": {anna, func(r *booking.Request) { r.Slot.Start, r.Slot.End = at(9).Slot.Start, at(9).Slot.End }},
	}
	for name, other := range others {
		request := noted
		other.change(&request)
		created, err := d.Create(t.Context(), other.by, request)
		refused(t, err, booking.ReasonIdempotencyKeyReused)
		if !reflect.DeepEqual(created, bookingsvc.Created{}) || tells(err, first) {
			t.Errorf("%s is shown %+v, %v", name, created, err)
		}
	}
	if n := d.rows()["bookings"]; n != 1 {
		t.Errorf("%d bookings", n)
	}
	d.checkFeeds()
}

// tells reports whether an error lets out something of a booking.
func tells(err error, b booking.Booking) bool {
	known, ok := errors.AsType[*booking.Error](err)
	return !ok || strings.Contains(known.Message, b.ID.String()) || strings.Contains(known.Message, b.CustomerID) ||
		strings.Contains(known.Message, b.Note) || len(known.Metadata) > 0 || len(known.Fields) > 0
}

func TestAReplayAnswersTheBookingAsItIsNow(t *testing.T) {
	t.Parallel()
	d := open(t)
	request := with("a-key", at(1))
	request.Metadata = booking.Metadata{"a": "b", "c": "d"}
	b := d.book(anna, request)
	for _, now := range []func() booking.Booking{
		func() booking.Booking { return d.do(ben, b, booking.Confirm()) },
		func() booking.Booking {
			return d.do(ben, b, booking.Update(booking.Patch{Note: new("another"), Metadata: new(booking.Metadata)}))
		},
		func() booking.Booking { return d.move(anna, b, to(5)) },
		func() booking.Booking { return d.do(ben, b, booking.Cancel("ill")) },
	} {
		want, before := now(), d.rows()
		d.checkReplay(anna, request, want)
		if got := d.rows(); !reflect.DeepEqual(got, before) {
			t.Errorf("a replay wrote: %v before, %v after", before, got)
		}
	}
}

func (d *desk) checkReplay(by booking.Actor, request booking.Request, want booking.Booking) {
	d.t.Helper()
	got, err := d.Create(d.t.Context(), by, request)
	if err != nil || !got.Replayed || !reflect.DeepEqual(got.Booking, want) {
		d.t.Errorf("replayed %t, %v:\n%+v\n%+v", got.Replayed, err, got.Booking, want)
	}
}

// The caller's network was away for an hour: the retry still says what became
// of the first try.
func TestAReplayStillAnswersWhenTheStartHasPassed(t *testing.T) {
	t.Parallel()
	d := open(t)
	request := with("a-key", at(1))
	b := d.book(anna, request)
	for _, passed := range []time.Duration{time.Hour, time.Hour, 365 * 24 * time.Hour} {
		d.clock.advance(passed)
		d.checkReplay(anna, request, b)
	}
	_, err := d.Create(t.Context(), anna, with("another-key", at(1)))
	refused(t, err, booking.ReasonStartInPast)
	request.Note = "another call"
	_, err = d.Create(t.Context(), anna, request)
	refused(t, err, booking.ReasonIdempotencyKeyReused)
}

// A key comes before every rule, also before those that would fail now.
func TestAReplayIsBoundByNoRule(t *testing.T) {
	t.Parallel()
	d := open(t)
	requests := make([]booking.Request, maxPending)
	for i := range requests {
		requests[i] = with("key-"+string(rune('a'+i)), at(1+i))
		d.book(anna, requests[i])
	}
	for _, request := range requests { // ten are pending: one more would be too many
		created, err := d.Create(t.Context(), anna, request)
		if err != nil || !created.Replayed {
			t.Errorf("replayed %t, %v", created.Replayed, err)
		}
	}
}

func TestAFailedCallLeavesItsKeyFree(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.book(ben, booking.Request{CustomerID: carl.ID, Slot: booking.Slot{Start: at(1).Slot.Start, End: at(1).Slot.End}})
	failures := map[booking.Reason]booking.Request{
		booking.ReasonSlotTaken:        with("a-key", at(1)),
		booking.ReasonStartInPast:      with("a-key", at(0)),
		booking.ReasonValidationFailed: with("a-key", at(3*366*24)),
	}
	for want, request := range failures {
		_, err := d.Create(t.Context(), anna, request)
		refused(t, err, want)
	}
	d.book(anna, with("a-key", at(2)))
}

func TestTooManyPendingLeavesTheKeyFree(t *testing.T) {
	t.Parallel()
	d := open(t)
	var last booking.Booking
	for i := range maxPending {
		last = d.book(anna, at(1+i))
	}
	_, err := d.Create(t.Context(), anna, with("a-key", at(20)))
	refused(t, err, booking.ReasonTooManyPending)
	d.do(anna, last, booking.Cancel(""))
	d.book(anna, with("a-key", at(20)))
}

func TestAKeyIsSpentForGoodAlsoAfterACancel(t *testing.T) {
	t.Parallel()
	d := open(t)
	request := with("a-key", at(1))
	cancelled := d.do(anna, d.book(anna, request), booking.Cancel(""))
	d.checkReplay(anna, request, cancelled)
	_, err := d.Create(t.Context(), anna, with("a-key", at(2)))
	refused(t, err, booking.ReasonIdempotencyKeyReused)
	d.book(anna, with("another-key", at(1)))
}

func TestEachProviderHasKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	d := open(t)
	request := with("a-key", at(1))
	d.book(anna, request)
	request.ProviderID = dora.ID
	d.book(anna, request)
}

func TestCallsWithoutAKeyAreNeverReplayed(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.book(anna, at(1))
	_, err := d.Create(t.Context(), anna, at(1))
	refused(t, err, booking.ReasonSlotTaken)
}
