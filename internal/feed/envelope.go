package feed

import (
	"fmt"
	"time"
)

// Envelope is a CloudEvents 1.0 event in JSON: what /ws sends. Frames that are
// not entries have no subject, no sequence and no previousid; broadcasts have
// neither source nor sequence nor previousid.
type Envelope struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source,omitempty"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitempty"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	Sequence        string `json:"sequence,omitempty"`
	// PreviousID is nil where there is none; the first entry of a feed has an empty
	// one.
	PreviousID *string `json:"previousid,omitempty"`
	Data       any     `json:"data"`
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
		PreviousID:      &e.PreviousID,
		Data:            e.Data,
	}
}
