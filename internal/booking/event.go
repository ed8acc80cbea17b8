package booking

import (
	"time"

	"github.com/google/uuid"
)

// EventType is what happened, as a CloudEvents type.
type EventType string

// The types of events.
const (
	EventCreated     EventType = "booking.created"
	EventConfirmed   EventType = "booking.confirmed"
	EventCancelled   EventType = "booking.cancelled"
	EventRescheduled EventType = "booking.rescheduled"
	EventUpdated     EventType = "booking.updated"
	EventCompleted   EventType = "booking.completed"
	EventNoShow      EventType = "booking.no_show"
	EventReminderDue EventType = "booking.reminder.due"
)

// Event is something that happened to a booking. It goes to both parties' feeds
// under the same id.
type Event struct {
	Type EventType
	Time time.Time
	// By is who caused it; reminders are caused by Internal, expiries by System.
	By        Actor
	BookingID uuid.UUID
	// StartTime is the booking's start after the change: what makes a reminder
	// the only one of its start.
	StartTime time.Time
	Data      EventData
}

// EventData are the facts of an event as callers see them, in JSON and in
// google.protobuf.Struct. Enums are spelled as in the proto.
type EventData struct {
	BookingID  string `json:"bookingId"`
	ProviderID string `json:"providerId"`
	CustomerID string `json:"customerId"`
	StartTime  string `json:"startTime"`
	EndTime    string `json:"endTime,omitempty"`
	Status     string `json:"status,omitempty"`
	// Version puts the states of a booking in their order. It is 0 in events that
	// happened before it was told.
	Version           int64    `json:"version"`
	Metadata          Metadata `json:"metadata,omitempty"`
	Reason            *string  `json:"reason,omitempty"`
	CancelledBy       string   `json:"cancelledBy,omitempty"`
	PreviousStartTime string   `json:"previousStartTime,omitempty"`
	PreviousEndTime   string   `json:"previousEndTime,omitempty"`
	LeadSeconds       *int32   `json:"leadSeconds,omitempty"`
}

// newEvent fills in what every event tells of the booking.
func newEvent(kind EventType, b Booking, by Actor, now time.Time) Event {
	return Event{
		Type:      kind,
		Time:      now,
		By:        by,
		BookingID: b.ID,
		StartTime: b.Slot.Start,
		Data: EventData{
			BookingID:  b.ID.String(),
			ProviderID: b.ProviderID,
			CustomerID: b.CustomerID,
			StartTime:  timeName(b.Slot.Start),
			EndTime:    timeName(b.Slot.End),
			Status:     "BOOKING_STATUS_" + string(b.Status),
			Version:    b.Version,
			Metadata:   b.Metadata,
		},
	}
}

// reminderDue is the event of a reminder that goes out now. Of the slot and the
// status it tells the start alone: the reminder changes nothing of the rest.
func reminderDue(b Booking, lead time.Duration, now time.Time) Event {
	event := newEvent(EventReminderDue, b, Internal, now)
	event.Data.EndTime, event.Data.Status = "", ""
	event.Data.LeadSeconds = new(int32(lead / time.Second))
	return event
}

func timeName(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func roleName(role Role) string {
	switch role {
	case RoleCustomer:
		return "ROLE_CUSTOMER"
	case RoleProvider:
		return "ROLE_PROVIDER"
	case RoleSystem:
		return "ROLE_SYSTEM"
	default:
		return "ROLE_INTERNAL"
	}
}
