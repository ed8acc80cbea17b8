package bookingsvc_test

import (
	"reflect"
	"testing"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
)

// stage is what silent calls play on: bookings of anna's at ben's, an hour after
// noon one that is pending, then a confirmed one, then a cancelled one, and one
// that has begun. Carl has a confirmed one, and all that may be pending.
type stage struct {
	*desk
	pending, confirmed, cancelled, begun, carls booking.Booking
}

func setStage(t *testing.T) stage {
	t.Helper()
	d := open(t)
	s := stage{desk: d}
	s.begun = d.book(ben, forAnna(-1))
	s.pending = d.book(anna, with("a-key", at(1)))
	s.confirmed = d.book(ben, forAnna(2))
	s.cancelled = d.do(anna, d.book(anna, with("spent", at(3))), booking.Cancel(""))
	s.carls = d.book(ben, booking.Request{CustomerID: carl.ID, Slot: booking.Slot{Start: at(200).Slot.Start, End: at(200).Slot.End}})
	for i := range maxPending {
		d.book(carl, at(100+i))
	}
	return s
}

// silentCalls cause no event: refused with a reason, else replayed, tried or
// done already.
var silentCalls = map[string]struct {
	call func(s stage) error
	want booking.Reason
}{
	"create: in the past":             {create(anna, at(0)), booking.ReasonStartInPast},
	"create: too far":                 {create(anna, at(3*366*24)), booking.ReasonValidationFailed},
	"create: a slot without length":   {create(anna, booking.Request{ProviderID: "ben"}), booking.ReasonValidationFailed},
	"create: taken":                   {create(anna, at(1)), booking.ReasonSlotTaken},
	"create: taken, by the provider":  {create(ben, forAnna(2)), booking.ReasonSlotTaken},
	"create: taken, by a newcomer":    {create(booking.Actor{Role: booking.RoleCustomer, ID: "new"}, at(1)), booking.ReasonSlotTaken},
	"create: too many":                {create(carl, at(50)), booking.ReasonTooManyPending},
	"create: for another":             {create(carl, forAnna(50)), booking.ReasonNotAllowed},
	"create: key of another call":     {create(anna, with("a-key", at(50))), booking.ReasonIdempotencyKeyReused},
	"create: key, in the past":        {create(anna, with("a-key", at(0))), booking.ReasonIdempotencyKeyReused},
	"create: key, replayed":           {create(anna, with("a-key", at(1))), ""},
	"create: key, cancelled, again":   {create(anna, with("spent", at(3))), ""},
	"create: tried":                   {create(anna, tried(at(50))), ""},
	"create: tried by a newcomer":     {create(booking.Actor{Role: booking.RoleCustomer, ID: "new"}, tried(at(50))), ""},
	"create: tried, taken":            {create(anna, tried(at(1))), booking.ReasonSlotTaken},
	"move: taken":                     {move(anna, pending, to(2)), booking.ReasonSlotTaken},
	"move: into the past":             {move(anna, pending, to(-5)), booking.ReasonStartInPast},
	"move: too far":                   {move(ben, pending, to(3*366*24)), booking.ReasonValidationFailed},
	"move: begun":                     {move(anna, begun, to(50)), booking.ReasonInvalidTransition},
	"move: cancelled":                 {move(ben, cancelled, to(50)), booking.ReasonInvalidTransition},
	"move: foreign":                   {move(carl, pending, to(50)), booking.ReasonBookingNotFound},
	"move: none":                      {move(anna, nowhere, to(50)), booking.ReasonBookingNotFound},
	"move: the same times":            {move(anna, pending, to(1)), ""},
	"move: tried":                     {move(anna, confirmed, only(to(50))), ""},
	"move: tried, the same times":     {move(anna, confirmed, only(to(2))), ""},
	"move: tried, taken":              {move(anna, confirmed, only(to(1))), booking.ReasonSlotTaken},
	"confirm: done already":           {change(ben, confirmed, booking.Confirm()), ""},
	"confirm: cancelled":              {change(ben, cancelled, booking.Confirm()), booking.ReasonInvalidTransition},
	"confirm: by the customer":        {change(anna, pending, booking.Confirm()), booking.ReasonNotAllowed},
	"confirm: old etag":               {old(ben, pending, booking.Confirm()), booking.ReasonEtagMismatch},
	"cancel: done already":            {change(anna, cancelled, booking.Cancel("again")), ""},
	"cancel: done already, old etag":  {old(ben, cancelled, booking.Cancel("again")), ""},
	"cancel: begun":                   {change(anna, begun, booking.Cancel("")), booking.ReasonInvalidTransition},
	"cancel: foreign":                 {change(dora, pending, booking.Cancel("")), booking.ReasonBookingNotFound},
	"complete: too early":             {change(ben, confirmed, booking.Complete()), booking.ReasonInvalidTransition},
	"complete: by the customer":       {change(anna, begun, booking.Complete()), booking.ReasonNotAllowed},
	"no show: pending":                {change(ben, pending, booking.MarkNoShow()), booking.ReasonInvalidTransition},
	"no show: old etag":               {old(booking.Internal, begun, booking.MarkNoShow()), booking.ReasonEtagMismatch},
	"no show: none, by the customer":  {change(anna, nowhere, booking.MarkNoShow()), booking.ReasonNotAllowed},
	"no show: none, by the provider":  {change(ben, nowhere, booking.MarkNoShow()), booking.ReasonBookingNotFound},
	"move: too many would be pending": {move(carl, carls, to(50)), booking.ReasonTooManyPending},
}

func pending(s stage) booking.Booking   { return s.pending }
func confirmed(s stage) booking.Booking { return s.confirmed }
func cancelled(s stage) booking.Booking { return s.cancelled }
func begun(s stage) booking.Booking     { return s.begun }
func carls(s stage) booking.Booking     { return s.carls }
func nowhere(stage) booking.Booking     { return booking.Booking{ID: uuid.Max, Version: 1} }

func create(by booking.Actor, request booking.Request) func(stage) error {
	return func(s stage) error {
		_, err := s.Create(s.t.Context(), by, request)
		return err
	}
}

func move(by booking.Actor, which func(stage) booking.Booking, move bookingsvc.Move) func(stage) error {
	return func(s stage) error {
		_, err := s.Reschedule(s.t.Context(), by, target(which(s)), move)
		return err
	}
}

func change(by booking.Actor, which func(stage) booking.Booking, change booking.Change) func(stage) error {
	return func(s stage) error {
		_, err := s.Change(s.t.Context(), by, target(which(s)), change)
		return err
	}
}

// old is change with an etag that is not the booking's.
func old(by booking.Actor, which func(stage) booking.Booking, change booking.Change) func(stage) error {
	return func(s stage) error {
		_, err := s.Change(s.t.Context(), by, bookingsvc.Target{ID: which(s).ID, Etag: `W/"77"`}, change)
		return err
	}
}

// A call that changes nothing leaves every feed's head at its highest entry, and
// the next change takes the next number.
func TestACallThatChangesNothingTakesNoNumber(t *testing.T) {
	t.Parallel()
	s := setStage(t)
	for name, silent := range silentCalls {
		before, bookings := s.rows(), s.fingerprint()
		if got := reasonOf(t, silent.call(s)); got != silent.want {
			t.Errorf("%s: %q, want %q", name, got, silent.want)
		}
		if after := s.rows(); !reflect.DeepEqual(after, before) || s.fingerprint() != bookings {
			t.Errorf("%s wrote: %v before, %v after", name, before, after)
		}
		s.checkFeeds()
	}
	head := value[int64](s.desk, "SELECT head FROM feeds WHERE role = 'provider' AND user_id = 'ben'")
	s.do(ben, s.pending, booking.Confirm())
	if next := value[int64](s.desk, "SELECT max(sequence) FROM feed_entries WHERE role = 'provider' AND user_id = 'ben'"); next != head+1 {
		t.Errorf("after %d comes %d", head, next)
	}
	s.checkFeeds()
	s.checkJobs()
}

// fingerprint stands for all that is stored of all bookings and jobs.
func (d *desk) fingerprint() string {
	d.t.Helper()
	return value[string](d, `SELECT md5(coalesce((SELECT string_agg(bookings::text, '|' ORDER BY id) FROM bookings), '') ||
		coalesce((SELECT string_agg(river_job::text, '|' ORDER BY id) FROM river_job), ''))`)
}
