package bookingdb

import (
	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

// FromRow is the booking that a row holds, its times in UTC.
func FromRow(row sqlc.Booking) booking.Booking {
	return booking.Booking{
		ID:           row.ID,
		ProviderID:   row.ProviderID,
		CustomerID:   row.CustomerID,
		Slot:         booking.Slot{Start: row.StartTime.UTC(), End: row.EndTime.UTC()},
		Status:       booking.Status(row.Status),
		Note:         row.Note,
		Cancellation: cancellation(row),
		Reminder: booking.Reminder{
			DueTime: row.ReminderDueTime.UTC(),
			State:   booking.ReminderState(row.ReminderState),
			JobID:   row.ReminderJobID,
		},
		Version:    row.Version,
		Moves:      row.Moves,
		CreateTime: row.CreateTime.UTC(),
		UpdateTime: row.UpdateTime.UTC(),
	}
}

// cancellation relies on bookings_cancellation_check: all three or none.
func cancellation(row sqlc.Booking) *booking.Cancellation {
	if row.CancelTime == nil {
		return nil
	}
	return &booking.Cancellation{
		Reason: *row.CancelReason,
		By:     booking.Role(*row.CancelledBy),
		Time:   row.CancelTime.UTC(),
	}
}

// UpdateParams are all of a booking that can change.
func UpdateParams(b booking.Booking) sqlc.BookingUpdateParams {
	params := sqlc.BookingUpdateParams{
		ID:              b.ID,
		StartTime:       b.Slot.Start,
		EndTime:         b.Slot.End,
		Status:          string(b.Status),
		Version:         b.Version,
		Moves:           b.Moves,
		ReminderDueTime: b.Reminder.DueTime,
		ReminderState:   string(b.Reminder.State),
		ReminderJobID:   b.Reminder.JobID,
		UpdateTime:      b.UpdateTime,
	}
	if c := b.Cancellation; c != nil {
		by := string(c.By)
		params.CancelReason, params.CancelledBy, params.CancelTime = &c.Reason, &by, &c.Time
	}
	return params
}
