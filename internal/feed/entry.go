package feed

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"bookings/internal/booking"
)

// Key names a feed: one user in one role, or All.
type Key struct {
	Role booking.Role
	User string
}

// All is the feed of everything: every event once.
var All = Key{Role: "all"}

const (
	sourcePrefix = "/bookings/feeds/"
	sourceOfAll  = sourcePrefix + "all"
)

// Source is the feed's name as a CloudEvents source.
func (k Key) Source() string {
	if k == All {
		return sourceOfAll
	}
	return sourcePrefix + string(k.Role) + "/" + url.PathEscape(k.User)
}

func parseSource(source string) (Key, error) {
	if source == sourceOfAll {
		return All, nil
	}
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
	Sequence int64
	ID       string
	// PreviousID is the id of the entry before it; empty for the first.
	PreviousID string
	Type       booking.EventType
	BookingID  string
	Time       time.Time
	// Data is the JSON of a booking.EventData.
	Data json.RawMessage

	// stored tells that PostgreSQL of this instance has it: it was read or written
	// there, not only heard of.
	stored bool
	// wire is the envelope in JSON where it was made already: once for all readers
	// of an entry that came live. It never changes.
	wire []byte
}

// point is where a reader is that has just got the entry.
func (e Entry) point() Point { return Point{Sequence: e.Sequence, ID: e.ID} }

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
