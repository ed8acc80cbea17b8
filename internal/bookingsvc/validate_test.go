package bookingsvc_test

import (
	"reflect"
	"testing"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

func TestATrialOfABookingWritesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, by := range []booking.Actor{anna, ben, booking.Internal} {
		created, err := d.Create(t.Context(), by, tried(with("a-key", forAnna(1))))
		if err != nil || created.Replayed {
			t.Fatalf("by %s: replayed %t, %v", by.Role, created.Replayed, err)
		}
		b := created.Booking
		if b.ID != uuid.Nil || b.Version != 0 {
			t.Errorf("by %s: a trial has the id %s and version %d", by.Role, b.ID, b.Version)
		}
		if b.CustomerID != anna.ID || b.ProviderID != ben.ID || b.Reminder.State != booking.ReminderScheduled {
			t.Errorf("by %s: %+v", by.Role, b)
		}
	}
	for table, n := range d.rows() {
		if n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
}

func TestATrialOfAMoveWritesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.do(ben, d.book(anna, at(1)), booking.Confirm())
	before := d.rows()
	for by, status := range map[booking.Actor]booking.Status{anna: booking.StatusPending, ben: booking.StatusConfirmed} {
		moved := d.move(by, b, only(to(5)))
		if moved.ID != uuid.Nil || moved.Version != 0 || moved.Status != status || !moved.Slot.Start.Equal(to(5).Slot.Start) {
			t.Errorf("by %s: %+v", by.Role, moved)
		}
	}
	if got := d.rows(); !reflect.DeepEqual(got, before) {
		t.Errorf("%v before, %v after", before, got)
	}
	if got := d.stored(b); !reflect.DeepEqual(got, b) {
		t.Errorf("stored %+v, not %+v", got, b)
	}
	d.checkJobs()
	d.checkFeeds()
}

func TestATrialFailsAsTheCallWould(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i := range maxPending {
		d.book(anna, at(1+i))
	}
	mine := d.book(ben, forAnna(50))
	tests := map[string]struct {
		do   func() error
		want booking.Reason
	}{
		"taken":             {func() error { _, err := d.Create(t.Context(), carl, tried(at(1))); return err }, booking.ReasonSlotTaken},
		"in the past":       {func() error { _, err := d.Create(t.Context(), carl, tried(at(0))); return err }, booking.ReasonStartInPast},
		"too many":          {func() error { _, err := d.Create(t.Context(), anna, tried(at(60))); return err }, booking.ReasonTooManyPending},
		"move to taken":     {d.trial(ben, mine, 1), booking.ReasonSlotTaken},
		"move to past":      {d.trial(anna, mine, -1), booking.ReasonStartInPast},
		"move, too many":    {d.trial(anna, mine, 60), booking.ReasonTooManyPending},
		"move of a foreign": {d.trial(carl, mine, 60), booking.ReasonBookingNotFound},
	}
	before := d.rows()
	for name, test := range tests {
		if err := test.do(); !booking.IsReason(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := d.rows(); !reflect.DeepEqual(got, before) {
		t.Errorf("%v before, %v after", before, got)
	}
}

func (d *desk) trial(by booking.Actor, b booking.Booking, hours int) func() error {
	return func() error {
		_, err := d.Reschedule(d.t.Context(), by, target(b), only(to(hours)))
		return err
	}
}

func TestATrialNeitherTakesNorReplaysAKey(t *testing.T) {
	t.Parallel()
	d := open(t)
	request := with("a-key", at(1))
	if _, err := d.Create(t.Context(), anna, tried(request)); err != nil {
		t.Fatal(err)
	}
	d.book(anna, request) // the key was free
	_, err := d.Create(t.Context(), anna, tried(request))
	refused(t, err, booking.ReasonSlotTaken) // and is not replayed
	if _, err := d.Create(t.Context(), anna, tried(with("a-key", at(2)))); err != nil {
		t.Errorf("nor does it stand for another call: %v", err)
	}
}

func TestATrialTellsNobody(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.book(anna, at(1))
	reader, err := d.Feeds.Subscribe(t.Context(), feed.Key{Role: ben.Role, User: ben.ID}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := d.Create(t.Context(), anna, tried(at(2))); err != nil {
		t.Fatal(err)
	}
	d.move(anna, b, only(to(5)))
	d.do(ben, b, booking.Confirm())
	entry, err := reader.Next(t.Context())
	if err != nil || entry.Type != booking.EventConfirmed || entry.Sequence != 2 {
		t.Errorf("told %s, number %d, %v", entry.Type, entry.Sequence, err)
	}
}
