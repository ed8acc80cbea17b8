package bookingsvc_test

import (
	"testing"

	"bookings/internal/bookingsvc"
)

// After a switch-over by logical replication a sequence may begin again at 1.
func TestAHistoryKeepsItsOrderWhereASequenceIsBehind(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i := range 3 {
		d.book(carl, at(10+i))
	}
	d.value("SELECT setval(pg_get_serial_sequence('booking_events', 'ordinal'), 500)")
	b := d.book(anna, at(1))
	d.value("SELECT setval(pg_get_serial_sequence('booking_events', 'ordinal'), 1, false)")
	for hour := range 5 {
		b = d.move(anna, b, to(2+hour))
	}
	entries, _, err := d.History(t.Context(), anna, bookingsvc.HistoryRequest{ID: b.ID})
	if err != nil || len(entries) != 6 {
		t.Fatal(len(entries), err)
	}
	if entries[0].Type != "booking.created" {
		t.Errorf("the history begins with %s", entries[0].Type)
	}
	d.checkFeeds()
}

func (d *desk) value(sql string) {
	d.t.Helper()
	value[int64](d, sql)
}
