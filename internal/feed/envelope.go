package feed

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"bookings/internal/booking"
)

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

// parseEntry reads an envelope that another instance has broadcast, and keeps
// it as it came for the sockets here.
func parseEntry(wire []byte) (Entry, error) {
	var data json.RawMessage
	envelope := Envelope{Data: &data}
	if err := json.Unmarshal(wire, &envelope); err != nil {
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
		BookingID: envelope.Subject, Time: at, Data: data, wire: wire,
	}, nil
}
