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
	EventCompleted   EventType = "booking.completed"
	EventNoShow      EventType = "booking.no_show"
	EventReminderDue EventType = "booking.reminder.due"
)

// Event is something that happened to a booking. It goes to both parties' feeds
// under the same id.
type Event struct {
	// ID is given by whoever stores the event.
	ID   uuid.UUID
	Type EventType
	Time time.Time
	// By is who caused it; reminders are caused by Internal.
	By Actor
	// StartTime is the booking's start after the change: what makes a reminder
	// the only one of its start.
	StartTime time.Time
	Data      EventData
}

// EventData are the facts of an event as callers see them, in JSON and in
// google.protobuf.Struct. Enums are spelled as in the proto.
type EventData struct {
	BookingID         string  `json:"bookingId"`
	ProviderID        string  `json:"providerId"`
	CustomerID        string  `json:"customerId"`
	StartTime         string  `json:"startTime"`
	EndTime           string  `json:"endTime,omitempty"`
	Status            string  `json:"status,omitempty"`
	Reason            *string `json:"reason,omitempty"`
	CancelledBy       string  `json:"cancelledBy,omitempty"`
	PreviousStartTime string  `json:"previousStartTime,omitempty"`
	PreviousEndTime   string  `json:"previousEndTime,omitempty"`
}

// ReminderDue is the event of a reminder that goes out now.
func ReminderDue(b Booking, now time.Time) Event {
	event := newEvent(EventReminderDue, b, Internal, now)
	event.Data.EndTime, event.Data.Status = "", ""
	return event
}

func newEvent(kind EventType, b Booking, by Actor, now time.Time) Event {
	return newEventWith(kind, b, by, now, EventData{})
}

// newEventWith fills in what every event tells of the booking.
func newEventWith(kind EventType, b Booking, by Actor, now time.Time, data EventData) Event {
	data.BookingID = b.ID.String()
	data.ProviderID = b.ProviderID
	data.CustomerID = b.CustomerID
	data.StartTime = timeName(b.Slot.Start)
	data.EndTime = timeName(b.Slot.End)
	data.Status = "BOOKING_STATUS_" + string(b.Status)
	return Event{Type: kind, Time: now, By: by, StartTime: b.Slot.Start, Data: data}
}

func timeName(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func roleName(role Role) string {
	switch role {
	case RoleCustomer:
		return "ROLE_CUSTOMER"
	case RoleProvider:
		return "ROLE_PROVIDER"
	default:
		return "ROLE_INTERNAL"
	}
}
