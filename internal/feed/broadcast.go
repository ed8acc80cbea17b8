package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"bookings/internal/booking"
)

// A broadcast is one event on its way to the other instances:
//
//	/bookings/feeds/provider/pat 17 0197…
//	/bookings/feeds/customer/chris 1
//
//	{"specversion":"1.0","id":"0198…","type":"booking.created",…}
//
// a line for each feed that it is an entry of, with its number there and the id
// of the entry before it; an empty line; and the envelope without what differs
// from feed to feed. An instance that has no reader of these feeds needs the first lines
// alone. The others parse the envelope once and spell it anew for each feed that
// they have readers of: splicing two members into somebody's JSON would be
// faster by microseconds, and a place for mistakes.
//
// Instances of two versions talk to each other while a new one is rolled out:
// fields that follow the ids, and lines of feeds that are not known, are
// skipped. So is a message without such lines: a heartbeat.

// place is an entry's place: a feed, its number there, and the entry before it.
type place struct {
	key        Key
	sequence   int64
	previousID string
}

// encodeBroadcast spells an event for which there is at least one entry.
func encodeBroadcast(entries []Entry) ([]byte, error) {
	var message []byte
	for _, entry := range entries {
		message = fmt.Appendf(message, "%s %d", entry.Key.Source(), entry.Sequence)
		if entry.PreviousID != "" {
			message = fmt.Appendf(message, " %s", entry.PreviousID)
		}
		message = append(message, '\n')
	}
	shared := entries[0].Envelope()
	shared.Source, shared.Sequence, shared.PreviousID = "", "", nil
	body, err := json.Marshal(shared)
	if err != nil {
		return nil, fmt.Errorf("encode a broadcast: %w", err)
	}
	return append(append(message, '\n'), body...), nil
}

var errNoBody = errors.New("a broadcast without an empty line")

// splitBroadcast reads the places and leaves the event as it is.
func splitBroadcast(message string) (places []place, body string, err error) {
	header, body, found := strings.Cut(message, "\n\n")
	if !found {
		return nil, "", errNoBody
	}
	for line := range strings.SplitSeq(header, "\n") {
		source, rest, _ := strings.Cut(line, " ")
		number, rest, _ := strings.Cut(rest, " ")
		previousID, _, _ := strings.Cut(rest, " ")
		key, err := parseSource(source)
		if err != nil {
			continue // of a later version
		}
		sequence, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, "", fmt.Errorf("a broadcast without a number: %w", err)
		}
		places = append(places, place{key: key, sequence: sequence, previousID: previousID})
	}
	return places, body, nil
}

// parseEvent reads the envelope of a broadcast into an entry that has no place
// yet.
func parseEvent(body string) (Entry, error) {
	var data json.RawMessage
	envelope := Envelope{Data: &data}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		return Entry{}, fmt.Errorf("a broadcast that is no envelope: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, envelope.Time)
	if err != nil {
		return Entry{}, fmt.Errorf("a broadcast without a time: %w", err)
	}
	return Entry{
		ID: envelope.ID, Type: booking.EventType(envelope.Type), BookingID: envelope.Subject, Time: at, Data: data,
	}, nil
}
