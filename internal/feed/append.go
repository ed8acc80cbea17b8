package feed

import (
	"encoding/json"

	"github.com/google/uuid"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgbatch"
)

// Append adds to a batch the writing of an event, with the next number of both
// parties' feeds and an entry in each. The transaction must have locked the
// provider's feed, and the customer's too (bookingdb.Lock) where it has locked a
// booking, or it would deadlock with others. Where the booking does not exist in the
// event's version, nothing is written and no number is taken.
// Once the batch has run, entries are what was written, for Publish after the
// commit.
func Append(batch *pgbatch.Batch, event booking.Event, entries *[]Entry) {
	data, err := json.Marshal(event.Data)
	if err != nil {
		panic(err) // texts alone
	}
	params := sqlc.FeedAppendParams{
		EventID:    uuid.Must(uuid.NewV7()),
		BookingID:  event.BookingID,
		Version:    event.Data.Version,
		Type:       string(event.Type),
		Time:       event.Time,
		ActorRole:  string(event.By.Role),
		ActorID:    event.By.ID,
		StartTime:  event.StartTime,
		Data:       data,
		ProviderID: event.Data.ProviderID,
		CustomerID: event.Data.CustomerID,
	}
	pgbatch.Query(batch, new(sqlc.Queries).FeedAppend, params, func(rows []sqlc.FeedAppendRow) {
		for _, row := range rows {
			*entries = append(*entries, appended(params, row))
		}
	})
}

// appended is the entry of one party's feed.
func appended(event sqlc.FeedAppendParams, row sqlc.FeedAppendRow) Entry {
	return Entry{
		Key:        Key{Role: booking.Role(row.Role), User: row.UserID},
		Sequence:   row.Sequence,
		ID:         event.EventID.String(),
		PreviousID: row.PreviousID,
		Type:       booking.EventType(event.Type),
		BookingID:  event.BookingID.String(),
		Time:       event.Time,
		Data:       event.Data,
		stored:     true,
	}
}
