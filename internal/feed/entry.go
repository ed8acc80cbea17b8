package feed

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bookings/internal/booking"
)

// Key names a feed: one user in one role.
type Key struct {
	Role booking.Role
	User string
}

// Source is the feed's name as a CloudEvents source.
func (k Key) Source() string {
	return "/bookings/feeds/" + string(k.Role) + "/" + url.PathEscape(k.User)
}

func parseSource(source string) (Key, error) {
	role, user, ok := strings.Cut(strings.TrimPrefix(source, "/bookings/feeds/"), "/")
	name, err := url.PathUnescape(user)
	if !ok || err != nil {
		return Key{}, fmt.Errorf("feed: %q names no feed", source)
	}
	return Key{Role: booking.Role(role), User: name}, nil
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
}

// Envelope is a CloudEvents 1.0 event in JSON: what /ws sends, and what travels
// between instances. Frames that are not entries have no subject and no
// sequence.
type Envelope struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitempty"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	Sequence        string `json:"sequence,omitempty"`
	Data            any    `json:"data"`
}

// The constants of every envelope.
const (
	SpecVersion     = "1.0"
	DataContentType = "application/json"
)

// Sequence spells a number with 19 digits, so that it orders as text too
// (CloudEvents sequence extension).
func Sequence(number int64) string { return fmt.Sprintf("%019d", number) }

// Envelope is the entry as callers see it.
func (e Entry) Envelope() Envelope {
	return Envelope{
		SpecVersion:     SpecVersion,
		ID:              e.ID,
		Source:          e.Key.Source(),
		Type:            string(e.Type),
		Subject:         e.BookingID,
		Time:            e.Time.UTC().Format(time.RFC3339Nano),
		DataContentType: DataContentType,
		Sequence:        Sequence(e.Sequence),
		Data:            e.Data,
	}
}

func (e Entry) marshal() ([]byte, error) { return json.Marshal(e.Envelope()) }

func unmarshal(message []byte) (Entry, error) {
	var data json.RawMessage
	envelope := Envelope{Data: &data}
	if err := json.Unmarshal(message, &envelope); err != nil {
		return Entry{}, fmt.Errorf("feed: a broadcast that is no envelope: %w", err)
	}
	key, err := parseSource(envelope.Source)
	if err != nil {
		return Entry{}, err
	}
	sequence, err := strconv.ParseInt(envelope.Sequence, 10, 64)
	if err != nil {
		return Entry{}, fmt.Errorf("feed: a broadcast without a number: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, envelope.Time)
	if err != nil {
		return Entry{}, fmt.Errorf("feed: a broadcast without a time: %w", err)
	}
	return Entry{
		Key: key, Sequence: sequence, ID: envelope.ID, Type: booking.EventType(envelope.Type),
		BookingID: envelope.Subject, Time: at, Data: data,
	}, nil
}
