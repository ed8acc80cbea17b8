package wsapi

import (
	"fmt"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

func TestTheFirstFrameTellsTheTerms(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.Fill(5)
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	tests := []struct {
		query   string
		resumed bool
		// first is the number of the first entry that follows.
		first int64
	}{
		{"", false, 6},
		{"?after=0", true, 1},
		{"?after=3", true, 4},
		{"?after=0000000000000000003", true, 4},
		{"?after=5", true, 6},
		{"?after=6", false, 6},
		{"?after=9223372036854775807", false, 6},
	}
	for _, test := range tests {
		c := d.connect(test.query, sign(t, booking.RoleProvider, "pat", expires.Add(-time.Hour), time.Hour))
		f := c.wants("stream.ready")
		if f.Data.Sequence != feed.Sequence(5) || f.Data.Resumed != test.resumed || !f.Data.ExpiresAt.Equal(expires) || f.Data.PingInterval != 25 {
			t.Errorf("%s: %+v", test.query, f.Data)
		}
		if f.SpecVersion != "1.0" || f.ID == "" || f.Time.IsZero() || f.DataContentType != "application/json" || f.Subject != "" || f.Sequence != "" {
			t.Errorf("%s: %+v", test.query, f)
		}
		c.wantsEntries(test.first, 5)
		defer func() { c.wantsEntries(6, 7) }()
	}
	d.publish(2)
}

func TestAResumedSocketMissesNothingAtTheSeam(t *testing.T) {
	t.Parallel()
	const events, sockets = 400, 20
	d := openDoor(t)
	d.Fill(100)
	published := make(chan struct{})
	go func() {
		defer close(published)
		d.publish(events)
	}()
	for i := range sockets {
		after := int64(i * 100 / sockets)
		c := d.connect(fmt.Sprintf("?after=%d", after))
		c.wants("stream.ready")
		c.wantsEntries(after+1, after+150)
		_ = c.conn.CloseNow()
	}
	<-published
	c := d.connect("?after=0")
	c.wants("stream.ready")
	c.wantsEntries(1, 100+events)
}

func TestBothPartiesAreSentTheSameEvent(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	provider := d.live()
	customer := d.connect("", sign(t, booking.RoleCustomer, "chris", time.Now(), time.Hour))
	customer.wants("stream.ready")
	d.publish(1)
	one, other := provider.wants("booking.rescheduled"), customer.wants("booking.rescheduled")
	if one.ID != other.ID || one.Subject == "" || one.Subject != one.Data.BookingID || other.Source != "/bookings/feeds/customer/chris" {
		t.Errorf("%+v\n%+v", one, other)
	}
}

func TestTheSourceSpellsOddUsersInPercent(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.connect("", sign(t, booking.RoleProvider, "auth0|a/b c%é?", time.Now(), time.Hour))
	if f := c.wants("stream.ready"); f.Source != "/bookings/feeds/provider/auth0%7Ca%2Fb%20c%25%C3%A9%3F" {
		t.Errorf("the source is %s", f.Source)
	}
}
