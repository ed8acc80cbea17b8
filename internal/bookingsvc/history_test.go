package bookingsvc_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
)

// happened is one entry of a history, without its id.
type happened struct {
	kind   booking.EventType
	by     booking.Actor
	after  time.Duration // since noon
	status string
}

func (d *desk) liveThrough() (booking.Booking, []happened) {
	d.t.Helper()
	b := d.book(anna, at(1))
	d.clock.advance(time.Minute)
	d.do(ben, b, booking.Confirm())
	d.clock.advance(time.Minute)
	d.move(booking.Internal, b, to(2))
	d.move(anna, b, to(3))
	d.do(ben, b, booking.Confirm())
	d.do(ben, b, booking.Confirm()) // holds: nothing happens
	d.clock.set(noon)               // another instance's clock may be behind
	d.do(anna, b, booking.Cancel("ill"))
	d.do(anna, b, booking.Update(booking.Patch{Note: new("sorry")}))
	return b, []happened{
		{booking.EventCreated, anna, 0, "BOOKING_STATUS_PENDING"},
		{booking.EventConfirmed, ben, time.Minute, "BOOKING_STATUS_CONFIRMED"},
		{booking.EventRescheduled, booking.Internal, 2 * time.Minute, "BOOKING_STATUS_CONFIRMED"},
		{booking.EventRescheduled, anna, 2 * time.Minute, "BOOKING_STATUS_PENDING"},
		{booking.EventConfirmed, ben, 2 * time.Minute, "BOOKING_STATUS_CONFIRMED"},
		{booking.EventCancelled, anna, 0, "BOOKING_STATUS_CANCELLED"},
		{booking.EventUpdated, anna, 0, "BOOKING_STATUS_CANCELLED"},
	}
}

func TestAHistorySaysWhatHappenedAndByWhomOldestFirst(t *testing.T) {
	t.Parallel()
	d := open(t)
	b, want := d.liveThrough()
	d.book(anna, at(1)) // has a history of its own
	for _, by := range []booking.Actor{anna, ben, booking.Internal} {
		for _, size := range []int{0, 1, 2, 5, 6, 7} {
			if got := d.history(by, b, size); !reflect.DeepEqual(got, want) {
				t.Errorf("by %s, pages of %d:\n%+v\n%+v", by.Role, size, got, want)
			}
		}
	}
}

// history reads a booking's history page by page.
func (d *desk) history(by booking.Actor, b booking.Booking, size int) (all []happened) {
	d.t.Helper()
	request := bookingsvc.HistoryRequest{ID: b.ID, PageSize: size}
	for {
		page, next, err := d.History(d.t.Context(), by, request)
		if err != nil {
			d.t.Fatal(err)
		}
		if size > 0 && len(page) > size {
			d.t.Fatalf("%d on a page of %d", len(page), size)
		}
		for _, entry := range page {
			all = append(all, d.happened(b, entry))
		}
		if request.PageToken = next; next == "" {
			return all
		}
	}
}

func (d *desk) happened(b booking.Booking, entry bookingsvc.HistoryEntry) happened {
	d.t.Helper()
	var data booking.EventData
	if err := json.Unmarshal(entry.Data, &data); err != nil || data.BookingID != b.ID.String() || entry.ID.Version() != 7 {
		d.t.Errorf("entry %s: %s, %v", entry.ID, entry.Data, err)
	}
	return happened{kind: entry.Type, by: entry.By, after: entry.Time.Sub(noon), status: data.Status}
}

func TestAHistorysTokenIsOfThatHistoryAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	b, _ := d.liveThrough()
	other, _ := d.liveThrough()
	_, token, err := d.History(t.Context(), anna, bookingsvc.HistoryRequest{ID: b.ID, PageSize: 1})
	if err != nil || token == "" {
		t.Fatalf("token %q, %v", token, err)
	}
	d.fill()
	_, list, err := d.List(t.Context(), anna, bookingsvc.ListRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, misuse := range map[string]struct {
		by    booking.Actor
		of    booking.Booking
		token string
	}{
		"another booking": {anna, other, token},
		"another caller":  {ben, b, token},
		"a list's":        {anna, b, list},
		"nonsense":        {anna, b, "what?"},
		"half of it":      {anna, b, token[:len(token)/2]},
	} {
		_, _, err := d.History(t.Context(), misuse.by, bookingsvc.HistoryRequest{ID: misuse.of.ID, PageToken: misuse.token})
		if !booking.IsReason(err, booking.ReasonPageTokenInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
