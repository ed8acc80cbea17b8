package rpcapi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
)

// Package booking does not know the proto: its words are its own, and the proto's
// enums are the same words behind a prefix (which buf's lint demands, since enum
// values share one namespace). So one is made of the other by its name, without a
// table that a new value could be missing in.

const statusPrefix = "BOOKING_STATUS_"

func toStatus(status booking.Status) bookingsv1.BookingStatus {
	return bookingsv1.BookingStatus(bookingsv1.BookingStatus_value[statusPrefix+string(status)])
}

// fromStatuses relies on the validator: each is a status that the proto defines.
func fromStatuses(statuses []bookingsv1.BookingStatus) []booking.Status {
	converted := make([]booking.Status, 0, len(statuses))
	for _, status := range statuses {
		converted = append(converted, booking.Status(strings.TrimPrefix(status.String(), statusPrefix)))
	}
	return converted
}

func toRole(role booking.Role) bookingsv1.Role {
	switch role {
	case booking.RoleCustomer:
		return bookingsv1.Role_ROLE_CUSTOMER
	case booking.RoleProvider:
		return bookingsv1.Role_ROLE_PROVIDER
	case booking.RoleSystem:
		return bookingsv1.Role_ROLE_SYSTEM
	default:
		return bookingsv1.Role_ROLE_INTERNAL
	}
}

// toRequest is what a create asks for. The mappers between the proto and package
// booking name every field of what they fill (exhaustruct), so that a field that
// is added to one side cannot be lost on the way in silence.
func toRequest(r *bookingsv1.CreateBookingRequest) booking.Request {
	return booking.Request{
		ProviderID: r.GetProviderId(),
		CustomerID: r.GetCustomerId(),
		Slot:       toSlot(r),
		Details: booking.Details{
			Note:     r.GetNote(),
			Metadata: r.GetMetadata(),
		},
		Leads:          booking.LeadsOf(r.GetReminderLeadSeconds()),
		IdempotencyKey: r.GetIdempotencyKey(),
		ValidateOnly:   r.GetValidateOnly(),
	}
}

// toPatch is what an update changes (AIP-134).
func toPatch(r *bookingsv1.UpdateBookingRequest) booking.Patch {
	patch := booking.Patch{Note: nil, Metadata: nil}
	if isToChange(r.GetUpdateMask(), "note", r.Note != nil) {
		patch.Note = new(r.GetNote())
	}
	if isToChange(r.GetUpdateMask(), "metadata", len(r.GetMetadata()) > 0) {
		patch.Metadata = new(booking.Metadata(r.GetMetadata()))
	}
	return patch
}

// isToChange reports whether an update is about a field: the mask names it, or,
// where there is none, it is set.
func isToChange(mask *fieldmaskpb.FieldMask, field string, set bool) bool {
	if len(mask.GetPaths()) == 0 {
		return set
	}
	return slices.Contains(mask.GetPaths(), field)
}

// toClosing relies on the validator: both times are there.
func toClosing(r *bookingsv1.CancelBookingsRequest) booking.Closing {
	return booking.Closing{
		ProviderID: r.GetProviderId(), From: r.GetStartTimeFrom().AsTime(), To: r.GetStartTimeTo().AsTime(), Reason: r.GetReason(),
	}
}

// toOutcomeError is an error that is a part of an answer.
func toOutcomeError(code connect.Code, known *booking.Error) *bookingsv1.CancelBookingsError {
	return &bookingsv1.CancelBookingsError{Code: strings.ToUpper(code.String()), Reason: string(known.Reason), Message: known.Message}
}

// toSlot takes times as they came: booking.NewSlot cuts and checks them, since it
// is a rule of bookings that they are microseconds.
func toSlot(r interface {
	GetStartTime() *timestamppb.Timestamp
	GetEndTime() *timestamppb.Timestamp
},
) booking.Slot {
	return booking.Slot{Start: r.GetStartTime().AsTime(), End: r.GetEndTime().AsTime()}
}

// toBooking is a booking as the actor sees it at the time now: what somebody may
// do with it depends on both. One that was only tried (validate_only) has no id
// and no version, since nobody could find it under them.
func toBooking(b booking.Booking, by booking.Actor, now time.Time) *bookingsv1.Booking {
	shown := &bookingsv1.Booking{
		Id:             "",
		ProviderId:     b.ProviderID,
		CustomerId:     b.CustomerID,
		StartTime:      timestamppb.New(b.Slot.Start),
		EndTime:        timestamppb.New(b.Slot.End),
		Status:         toStatus(b.Status),
		Note:           b.Note,
		Cancellation:   toCancellation(b.Cancellation),
		Reminder:       toReminder(b.Reminder),
		AllowedActions: toActions(b.AllowedActions(by, now)),
		Etag:           "",
		CreateTime:     timestamppb.New(b.CreateTime),
		UpdateTime:     timestamppb.New(b.UpdateTime),
		Metadata:       b.Metadata,
		Version:        b.Version,
		ExpireTime:     nil,
	}
	if b.Expiry != nil {
		shown.ExpireTime = timestamppb.New(b.Expiry.Time)
	}
	if b.ID != uuid.Nil {
		shown.Id, shown.Etag = b.ID.String(), b.Etag()
	}
	return shown
}

func toCancellation(c *booking.Cancellation) *bookingsv1.Cancellation {
	if c == nil {
		return nil
	}
	return &bookingsv1.Cancellation{Reason: c.Reason, CancelledBy: toRole(c.By), Time: timestamppb.New(c.Time)}
}

func toReminder(r booking.Reminder) *bookingsv1.Reminder {
	return &bookingsv1.Reminder{
		DueTime:     timestamppb.New(r.DueTime),
		State:       bookingsv1.ReminderState(bookingsv1.ReminderState_value["REMINDER_STATE_"+string(r.State)]),
		LeadSeconds: r.Leads.Seconds(),
	}
}

func toActions(actions []booking.Action) []bookingsv1.BookingAction {
	shown := make([]bookingsv1.BookingAction, 0, len(actions))
	for _, action := range actions {
		shown = append(shown, bookingsv1.BookingAction(bookingsv1.BookingAction_value["BOOKING_ACTION_"+string(action)]))
	}
	return shown
}

// toBookingEvent is an entry of a booking's history.
func toBookingEvent(event bookingsvc.HistoryEntry) (*bookingsv1.BookingEvent, error) {
	data, err := toStruct(event.Data)
	if err != nil {
		return nil, err
	}
	return &bookingsv1.BookingEvent{
		Id:    event.ID.String(),
		Type:  string(event.Type),
		Time:  timestamppb.New(event.Time),
		Actor: &bookingsv1.EventActor{Role: toRole(event.By.Role), Id: event.By.ID},
		Data:  data,
	}, nil
}

// toEvent is an entry of a feed.
func toEvent(entry feed.Entry) (*bookingsv1.Event, error) {
	data, err := toStruct(entry.Data)
	if err != nil {
		return nil, err
	}
	return &bookingsv1.Event{
		Specversion:     feed.SpecVersion,
		Id:              entry.ID,
		Source:          entry.Key.Source(),
		Type:            string(entry.Type),
		Subject:         entry.BookingID,
		Time:            timestamppb.New(entry.Time),
		Datacontenttype: feed.DataContentType,
		Sequence:        entry.Sequence,
		PreviousId:      entry.PreviousID,
		Data:            data,
	}, nil
}

// toStruct is an event's data as the proto has it. It is kept as JSON, which /ws
// sends as it is; a Struct is the form of the proto that shows JSON as JSON.
func toStruct(data []byte) (*structpb.Struct, error) {
	shown := new(structpb.Struct)
	if err := shown.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("read an event's data: %w", err)
	}
	return shown, nil
}
