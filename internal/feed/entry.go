package feed

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"bookings/internal/booking"
)

// Key names a feed: one user in one role.
type Key struct {
	Role booking.Role
	User string
}

const sourcePrefix = "/bookings/feeds/"

// Source is the feed's name as a CloudEvents source.
func (k Key) Source() string {
	return sourcePrefix + string(k.Role) + "/" + url.PathEscape(k.User)
}

func parseSource(source string) (Key, error) {
	name, ours := strings.CutPrefix(source, sourcePrefix)
	role, escaped, found := strings.Cut(name, "/")
	user, err := url.PathUnescape(escaped)
	if !ours || !found || err != nil {
		return Key{}, fmt.Errorf("feed: %q names no feed", source)
	}
	return Key{Role: booking.Role(role), User: user}, nil
}

// Entry is one event in one feed.
type Entry struct {
	Key Key
	// Sequence is the number in the feed, from 1.
	Sequence  int64
	ID        string
	Type      booking.EventType
	BookingID string
	Time      time.Time
	// Data is the JSON of a booking.EventData.
	Data json.RawMessage

	// wire is the envelope in JSON where it was made already: once for all readers
	// of an entry that came live. It never changes.
	wire []byte
}

// JSON is the entry's envelope as /ws sends it, not to be changed.
func (e Entry) JSON() ([]byte, error) {
	if e.wire != nil {
		return e.wire, nil
	}
	wire, err := json.Marshal(e.Envelope())
	if err != nil {
		return nil, fmt.Errorf("encode an entry of a feed: %w", err)
	}
	return wire, nil
}
