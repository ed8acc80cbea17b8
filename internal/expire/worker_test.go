package expire_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
)

func TestAPendingBookingThatNobodyAnswersExpires(t *testing.T) {
	t.Parallel()
	d := open(t, ttl)
	b := d.book(anna, 24*time.Hour)
	if want := b.CreateTime.Add(ttl); b.Expiry == nil || !b.Expiry.Time.Equal(want) {
		t.Fatalf("expires %+v, not at %v", b.Expiry, want)
	}
	if at := value[time.Time](d, "SELECT scheduled_at FROM river_job WHERE id = $1", b.Expiry.JobID); !at.Equal(b.Expiry.Time) {
		t.Errorf("its job runs at %v", at)
	}
	d.runNow()

	got := d.stored(b)
	want := b
	want.Status, want.Version, want.Expiry, want.UpdateTime = booking.StatusCancelled, 2, nil, got.UpdateTime
	want.Reminder.State = booking.ReminderSkipped
	want.Cancellation = &booking.Cancellation{Reason: "expired", By: booking.RoleSystem, Time: got.UpdateTime}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stored %+v\nwant   %+v", got, want)
	}
	d.none("reminders' jobs to come", "SELECT count(*) FROM river_job WHERE kind = 'reminder' AND state <> 'cancelled'")
	d.checkTold(b)
	d.book(ben, 24*time.Hour-time.Second) // the slot is free
}

// checkTold looks for the cancellation in both feeds and in the history.
func (d *desk) checkTold(b booking.Booking) {
	d.t.Helper()
	for _, party := range []booking.Actor{anna, ben} {
		page, err := d.Feeds.List(d.t.Context(), feed.Key{Role: party.Role, User: party.ID}, nil, nil, 10)
		if err != nil || page.Head.Sequence != 2 || page.Entries[1].Type != booking.EventCancelled {
			d.t.Fatalf("%s was told %+v, %v", party.ID, page, err)
		}
		var data booking.EventData
		if err := json.Unmarshal(page.Entries[1].Data, &data); err != nil || data.CancelledBy != "ROLE_SYSTEM" || *data.Reason != "expired" {
			d.t.Errorf("told %s, %v", page.Entries[1].Data, err)
		}
	}
	events, _, err := d.History(d.t.Context(), anna, bookingsvc.HistoryRequest{ID: b.ID})
	if err != nil || len(events) != 2 || events[1].By != booking.System {
		d.t.Errorf("the history is %+v, %v", events, err)
	}
}

func TestABookingExpiresAtItsTimeAndNeverBefore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits until it expires")
	}
	d := open(t, time.Second)
	d.work()
	reader, err := d.Feeds.Subscribe(t.Context(), feed.Key{Role: ben.Role, User: ben.ID}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	b := d.book(anna, time.Hour)
	for _, want := range []booking.EventType{booking.EventCreated, booking.EventCancelled} {
		entry, err := reader.Next(t.Context())
		if err != nil || entry.Type != want {
			t.Fatalf("told %s, %v", entry.Type, err)
		}
		if want == booking.EventCancelled && entry.Time.Before(b.Expiry.Time) {
			t.Errorf("expires at %v, was told at %v", b.Expiry.Time, entry.Time)
		}
	}
}

func TestOnlyWhatWaitsForAnAnswerHasAnExpiry(t *testing.T) {
	t.Parallel()
	d := open(t, ttl)
	if b := d.book(ben, 24*time.Hour); b.Expiry != nil {
		t.Errorf("a confirmed booking expires: %+v", b.Expiry)
	}
	d.Terms.PendingTTL = 0
	b := d.book(anna, 48*time.Hour)
	if b.Expiry != nil || len(d.jobStates()) != 0 {
		t.Errorf("without the setting it expires: %+v", b.Expiry)
	}
	d.Terms.PendingTTL = ttl // concerns what becomes PENDING later
	if b := d.stored(b); b.Expiry != nil {
		t.Errorf("one from before the setting expires: %+v", b.Expiry)
	}
	if b := d.move(anna, b, time.Hour); b.Expiry == nil || !b.Expiry.Time.Equal(b.UpdateTime.Add(ttl)) {
		t.Errorf("moved, it expires %+v", b.Expiry)
	}
}

func TestAnAnswerTakesTheJobBack(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(d *desk, b booking.Booking) booking.Booking{
		"confirmed": func(d *desk, b booking.Booking) booking.Booking { return d.change(ben, b, booking.Confirm()) },
		"declined":  func(d *desk, b booking.Booking) booking.Booking { return d.change(ben, b, booking.Cancel("")) },
		"cancelled": func(d *desk, b booking.Booking) booking.Booking { return d.change(anna, b, booking.Cancel("")) },
	} {
		d := open(t, ttl)
		b := answer(d, d.book(anna, 24*time.Hour))
		if states := d.jobStates(); !slices.Equal(states, []string{"cancelled"}) || d.stored(b).Expiry != nil {
			t.Errorf("%s: jobs are %v", name, states)
		}
		d.runNow() // as if it had been fetched before
		if got := d.stored(b); !reflect.DeepEqual(got, b) {
			t.Errorf("%s: %+v, then %+v", name, b, got)
		}
	}
}

func TestAMoveOfAPendingBookingAsksAnew(t *testing.T) {
	t.Parallel()
	for _, by := range []booking.Actor{anna, ben} {
		d := open(t, ttl)
		b := d.move(by, d.book(anna, 24*time.Hour), time.Hour)
		if b.Expiry == nil || !b.Expiry.Time.Equal(b.UpdateTime.Add(ttl)) || !slices.Equal(d.jobStates(), []string{"cancelled", "scheduled"}) {
			t.Errorf("by %s: %+v, jobs %v", by.ID, b.Expiry, d.jobStates())
		}
		d.runNow() // the job of before the move
		if got := d.stored(b); !reflect.DeepEqual(got, b) {
			t.Errorf("by %s: %+v, then %+v", by.ID, b, got)
		}
	}
}

func TestACustomersMoveMakesAConfirmedBookingWaitAgain(t *testing.T) {
	t.Parallel()
	d := open(t, ttl)
	confirmed := d.book(ben, 24*time.Hour)
	if b := d.move(ben, confirmed, time.Hour); b.Expiry != nil {
		t.Errorf("moved by its provider it expires: %+v", b.Expiry)
	}
	if b := d.move(anna, confirmed, 2*time.Hour); b.Expiry == nil || !slices.Equal(d.jobStates(), []string{"scheduled"}) {
		t.Errorf("%+v, jobs %v", b.Expiry, d.jobStates())
	}
}

func TestATrialOrARefusedBookingLeavesNoJob(t *testing.T) {
	t.Parallel()
	d := open(t, ttl)
	b := d.book(ben, 24*time.Hour)
	request := booking.Request{ProviderID: ben.ID, Slot: b.Slot}
	if _, err := d.Create(t.Context(), anna, request); !booking.IsReason(err, booking.ReasonSlotTaken) {
		t.Error(err)
	}
	request.Slot = booking.Slot{Start: b.Slot.End, End: b.Slot.End.Add(time.Hour)}
	request.ValidateOnly = true
	if tried, err := d.Create(t.Context(), anna, request); err != nil || tried.Booking.Expiry == nil {
		t.Errorf("%+v, %v", tried.Booking.Expiry, err)
	}
	if states := d.jobStates(); len(states) != 0 {
		t.Errorf("jobs are %v", states)
	}
}
