package bookingdb

import (
	"encoding/json"
	"strconv"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

// The mappers in this file name every field of what they fill: the linter
// exhaustruct sees to it, and a test where a struct holds a list for each. So a column
// that is added to the table cannot be forgotten on the way in or on the way out:
// data would be lost without a sound.

// FromRow is the booking that a row holds, its times in UTC: the driver gives
// them in the server's zone.
func FromRow(row sqlc.Booking) booking.Booking {
	return booking.Booking{
		ID:         row.ID,
		ProviderID: row.ProviderID,
		CustomerID: row.CustomerID,
		Slot:       booking.Slot{Start: row.StartTime.UTC(), End: row.EndTime.UTC()},
		Status:     booking.Status(row.Status),
		Details: booking.Details{
			Note:     row.Note,
			Metadata: fromJSON(row.Metadata),
		},
		Cancellation: cancellation(row),
		Reminder: booking.Reminder{
			Leads:   leads(row),
			DueTime: row.ReminderDueTime.UTC(),
			State:   booking.ReminderState(row.ReminderState),
			JobID:   row.ReminderJobID,
		},
		Expiry:     expiry(row),
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

// fromJSON relies on bookings_metadata_check: an object of texts.
func fromJSON(column json.RawMessage) (metadata booking.Metadata) {
	if string(column) == "{}" { // most have none, and reading it costs
		return nil
	}
	if err := json.Unmarshal(column, &metadata); err != nil {
		panic(err)
	}
	if len(metadata) == 0 {
		return nil
	}
	return metadata
}

// toJSON makes an empty object of none.
func toJSON(metadata booking.Metadata) json.RawMessage {
	if len(metadata) == 0 {
		return json.RawMessage("{}")
	}
	column, err := json.Marshal(metadata)
	if err != nil {
		panic(err) // texts alone
	}
	return column
}

// expiry relies on bookings_expiry_check: both or none.
func expiry(row sqlc.Booking) *booking.Expiry {
	if row.ExpireTime == nil || row.Status != string(booking.StatusPending) {
		return nil
	}
	return &booking.Expiry{Time: row.ExpireTime.UTC(), JobID: *row.ExpireJobID}
}

// leads are a booking's. A row of the version before has none: its one lead is the
// start less the due time, cut to what leads may be.
func leads(row sqlc.Booking) booking.Leads {
	if len(row.ReminderLeads) > 0 {
		return booking.LeadsOf(row.ReminderLeads)
	}
	lead := row.StartTime.Sub(row.ReminderDueTime).Truncate(time.Second)
	return booking.Leads{min(lead, booking.MaxLead)}
}

// AddInsert adds a new booking with its idempotency key and the fingerprint of the call
// that the key stands for. Without a key both are NULL, and the fingerprint is not
// looked at.
func AddInsert(to *sqlc.BookingInsertParams, b booking.Booking, key string, fingerprint []byte) {
	if key == "" {
		fingerprint = nil
	}
	var expireTime time.Time
	if b.Expiry != nil {
		expireTime = b.Expiry.Time
	}
	to.Ids = append(to.Ids, b.ID)
	to.ProviderIds = append(to.ProviderIds, b.ProviderID)
	to.CustomerIds = append(to.CustomerIds, b.CustomerID)
	to.StartTimes = append(to.StartTimes, b.Slot.Start)
	to.EndTimes = append(to.EndTimes, b.Slot.End)
	to.Statuses = append(to.Statuses, string(b.Status))
	to.Notes = append(to.Notes, b.Note)
	to.Metadata = append(to.Metadata, string(toJSON(b.Metadata)))
	to.Versions = append(to.Versions, b.Version)
	to.Moves = append(to.Moves, b.Moves)
	to.IdempotencyKeys = append(to.IdempotencyKeys, key)
	to.RequestFingerprints = append(to.RequestFingerprints, fingerprint)
	to.ReminderLeads = append(to.ReminderLeads, arrayText(b.Reminder.Leads.Seconds()))
	to.ReminderDueTimes = append(to.ReminderDueTimes, b.Reminder.DueTime)
	to.ReminderStates = append(to.ReminderStates, string(b.Reminder.State))
	to.Reminds = append(to.Reminds, b.Reminder.State == booking.ReminderScheduled)
	to.ExpireTimes = append(to.ExpireTimes, expireTime)
	to.Expires = append(to.Expires, b.Expiry != nil)
	to.CreateTimes = append(to.CreateTimes, b.CreateTime)
	to.UpdateTimes = append(to.UpdateTimes, b.UpdateTime)
}

// arrayText is an array of PostgreSQL's in its text form: arrays of different lengths do
// not fit into one of two dimensions.
func arrayText(numbers []int32) string {
	text := []byte{'{'}
	for i, number := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(number), 10)
	}
	return string(append(text, '}'))
}

// AddReminder adds what the worker of reminders changes of a booking. Whatever it
// changes has, or had, a job (bookings_reminder_scheduled_check).
func AddReminder(to *sqlc.ReminderSetParams, b booking.Booking) {
	to.Ids = append(to.Ids, b.ID)
	to.DueTimes = append(to.DueTimes, b.Reminder.DueTime)
	to.States = append(to.States, string(b.Reminder.State))
	to.JobIds = append(to.JobIds, *b.Reminder.JobID)
}

// UpdateParams are all of a booking that can change. A move draws new jobs.
func UpdateParams(b booking.Booking, moved bool) sqlc.BookingUpdateParams {
	params := sqlc.BookingUpdateParams{
		ID:              b.ID,
		StartTime:       b.Slot.Start,
		EndTime:         b.Slot.End,
		Status:          string(b.Status),
		Note:            b.Note,
		Metadata:        toJSON(b.Metadata),
		Version:         b.Version,
		Moves:           b.Moves,
		CancelReason:    nil,
		CancelledBy:     nil,
		CancelTime:      nil,
		ReminderLeads:   b.Reminder.Leads.Seconds(),
		ReminderDueTime: b.Reminder.DueTime,
		ReminderState:   string(b.Reminder.State),
		ReminderJobID:   b.Reminder.JobID,
		NewReminder:     moved && b.Reminder.State == booking.ReminderScheduled,
		ExpireTime:      nil,
		ExpireJobID:     nil,
		NewExpiry:       moved && b.Expiry != nil,
		UpdateTime:      b.UpdateTime,
	}
	if e := b.Expiry; e != nil {
		params.ExpireTime, params.ExpireJobID = &e.Time, &e.JobID
	}
	if c := b.Cancellation; c != nil {
		by := string(c.By)
		params.CancelReason, params.CancelledBy, params.CancelTime = &c.Reason, &by, &c.Time
	}
	return params
}
