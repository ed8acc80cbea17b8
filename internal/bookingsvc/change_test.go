package bookingsvc_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
)

// What a call answers is what is stored, through a whole life.
func TestAnAnswerIsWhatIsStored(t *testing.T) {
	t.Parallel()
	d := open(t)
	check := func(b booking.Booking, status booking.Status, version int64) {
		t.Helper()
		if got := d.stored(b); b.Status != status || b.Version != version || !reflect.DeepEqual(got, b) {
			t.Errorf("want %s, version %d:\nanswered %+v\nstored   %+v", status, version, b, got)
		}
	}
	b := d.book(anna, at(1))
	check(b, booking.StatusPending, 1)
	check(d.do(ben, b, booking.Confirm()), booking.StatusConfirmed, 2)
	check(d.move(ben, b, to(2)), booking.StatusConfirmed, 3)
	check(d.move(anna, b, to(3)), booking.StatusPending, 4)
	check(d.do(ben, b, booking.Confirm()), booking.StatusConfirmed, 5)
	d.clock.advance(3 * time.Hour)
	check(d.do(ben, b, booking.Complete()), booking.StatusCompleted, 6)
	facts := booking.Metadata{"service": "cut", "link": "https://example.com/?a=<b>"}
	check(d.do(anna, b, booking.Update(booking.Patch{Note: new("thanks"), Metadata: &facts})), booking.StatusCompleted, 7)
	check(d.do(ben, b, booking.Update(booking.Patch{Metadata: &facts})), booking.StatusCompleted, 7)
	check(d.do(ben, b, booking.Update(booking.Patch{Metadata: new(booking.Metadata)})), booking.StatusCompleted, 8)
	d.checkFeeds()
	d.checkJobs()
}

func TestTheOtherEndsOfALifeAreStored(t *testing.T) {
	t.Parallel()
	d := open(t)
	missed := d.book(ben, forAnna(1))
	declined := d.do(ben, d.book(anna, at(5)), booking.Cancel("full"))
	d.clock.advance(time.Hour)
	missed = d.do(booking.Internal, missed, booking.MarkNoShow())
	for _, b := range []booking.Booking{missed, declined} {
		if got := d.stored(b); !reflect.DeepEqual(got, b) || b.Reminder.State != booking.ReminderSkipped {
			t.Errorf("answered %+v\nstored   %+v", b, got)
		}
	}
	d.checkJobs()
}

// One microsecond later than the database can keep would never match again.
func TestTimesAreCutToWhatTheDatabaseKeeps(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.clock.set(noon.Add(1999 * time.Nanosecond))
	request := with("a-key", at(1))
	request.Slot.Start = request.Slot.Start.Add(1999 * time.Nanosecond)
	b := d.book(anna, request)
	if got := d.stored(b); !reflect.DeepEqual(got, b) || b.CreateTime.Nanosecond() != 1000 || b.Slot.Start.Nanosecond() != 1000 {
		t.Errorf("answered %+v\nstored   %+v", b, got)
	}
	d.checkReplay(anna, request, b)
	moved := d.move(anna, b, bookingsvc.Move{Slot: booking.Slot{Start: request.Slot.Start, End: request.Slot.End}})
	if moved.Version != 1 {
		t.Error("a move to the same times is a change")
	}
}

func TestAnOldEtagIsRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.book(anna, at(1))
	seen := bookingsvc.Target{ID: b.ID, Etag: b.Etag()}
	confirmed, err := d.Change(t.Context(), ben, seen, booking.Confirm())
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Change(t.Context(), anna, seen, booking.Cancel(""))
	refused(t, err, booking.ReasonEtagMismatch)
	_, err = d.Reschedule(t.Context(), anna, seen, to(1)) // that it is already
	if err != nil {
		t.Error(err)
	}
	_, err = d.Reschedule(t.Context(), anna, seen, to(2))
	refused(t, err, booking.ReasonEtagMismatch)
	seen.Etag = confirmed.Etag()
	if _, err = d.Reschedule(t.Context(), anna, seen, to(2)); err != nil {
		t.Error(err)
	}
}

func TestRacingChangesWithOneEtagAreOne(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.book(anna, at(1))
	answers := race(20, func(i int) booking.Reason {
		_, err := d.Reschedule(t.Context(), anna, bookingsvc.Target{ID: b.ID, Etag: b.Etag()}, to(2+i))
		return reasonOf(t, err)
	})
	if got := tally(answers); got[""] != 1 || got[booking.ReasonEtagMismatch] != 19 {
		t.Errorf("answers: %v", got)
	}
	d.checkFeeds()
	d.checkJobs()
}

// The role is checked whatever the id, existence and ownership together.
func TestARefusalTellsNothingOfAForeignBooking(t *testing.T) {
	t.Parallel()
	d := open(t)
	theirs := d.book(anna, at(1))
	for name, id := range map[string]uuid.UUID{"foreign": theirs.ID, "none": uuid.New()} {
		there := bookingsvc.Target{ID: id, Etag: `W/"99"`}
		_, err := d.Change(t.Context(), carl, there, booking.Confirm())
		refused(t, err, booking.ReasonNotAllowed)
		for _, by := range []booking.Actor{carl, dora, {Role: booking.RoleCustomer, ID: ben.ID}, {Role: booking.RoleProvider, ID: anna.ID}} {
			_, cancelErr := d.Change(t.Context(), by, there, booking.Cancel(""))
			_, moveErr := d.Reschedule(t.Context(), by, there, to(1))
			_, getErr := d.Get(t.Context(), by, id)
			_, _, historyErr := d.History(t.Context(), by, bookingsvc.HistoryRequest{ID: id})
			for _, err := range []error{cancelErr, moveErr, getErr, historyErr} {
				if !booking.IsReason(err, booking.ReasonBookingNotFound) || err.Error() != getErr.Error() {
					t.Errorf("%s, %+v: %v", name, by, err)
				}
			}
		}
	}
}

func TestACustomersMoveOfAConfirmedBookingCountsAsPending(t *testing.T) {
	t.Parallel()
	d := open(t)
	confirmed := d.book(ben, forAnna(100))
	var pending booking.Booking
	for i := range maxPending {
		pending = d.book(anna, at(1+i))
	}
	_, err := d.Reschedule(t.Context(), anna, target(confirmed), to(101))
	refused(t, err, booking.ReasonTooManyPending)
	d.move(anna, pending, to(102)) // does not count against itself
	d.move(ben, confirmed, to(101))
	d.do(anna, pending, booking.Cancel(""))
	d.move(anna, confirmed, to(103))
	_, err = d.Create(t.Context(), anna, at(104))
	refused(t, err, booking.ReasonTooManyPending)
}

func TestOnlyPendingBookingsAheadAtThisProviderCount(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i := range maxPending {
		d.book(anna, at(1+i))
	}
	elsewhere := at(1)
	elsewhere.ProviderID = dora.ID
	d.book(anna, elsewhere)
	d.book(carl, at(50))
	d.book(ben, forAnna(51))
	_, err := d.Create(t.Context(), anna, at(60))
	refused(t, err, booking.ReasonTooManyPending)
	d.clock.advance(time.Hour) // the first one's start has come, and it blocks still
	_, err = d.Create(t.Context(), anna, at(60))
	refused(t, err, booking.ReasonTooManyPending)
	d.clock.advance(time.Hour) // it is over
	d.book(anna, at(60))
}

func TestAChangeIsToldToBothPartiesAfterItsCommit(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, party := range []booking.Actor{anna, ben} {
		reader, err := d.Feeds.Subscribe(t.Context(), feed.Key{Role: party.Role, User: party.ID}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		b := d.book(anna, at(1))
		d.do(ben, b, booking.Confirm())
		d.do(anna, b, booking.Cancel(""))
		for _, want := range []booking.EventType{booking.EventCreated, booking.EventConfirmed, booking.EventCancelled} {
			entry, err := reader.Next(t.Context())
			if err != nil || entry.Type != want || entry.BookingID != b.ID.String() {
				t.Errorf("%s is told %s, %v", party.ID, entry.Type, err)
			}
		}
	}
}

func TestSomebodyWithBothRolesHasTwoFeeds(t *testing.T) {
	t.Parallel()
	d := open(t)
	asProvider, asCustomer := booking.Actor{Role: booking.RoleProvider, ID: "anna"}, anna
	request := at(1)
	request.CustomerID = carl.ID
	request.ProviderID = ""
	d.book(asProvider, request)
	d.book(asCustomer, at(1))
	d.book(asCustomer, at(2))
	for actor, want := range map[booking.Actor]int64{asProvider: 1, asCustomer: 2} {
		page, err := d.Feeds.List(t.Context(), feed.Key{Role: actor.Role, User: actor.ID}, nil, nil, 10)
		if err != nil || page.Head.Sequence != want {
			t.Errorf("%s: head %v, %v", actor.Role, page.Head, err)
		}
	}
	d.checkFeeds()
}
