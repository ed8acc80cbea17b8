package feed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

// Append writes an event and its entries in both parties' feeds, taking the
// next number of each. Both feeds must be locked by the transaction
// (bookingdb.Lock). The entries are for Publish, after the commit.
func Append(ctx context.Context, tx sqlc.DBTX, event booking.Event) ([]Entry, error) {
	pending, err := NewAppend(event)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, sqlc.FeedAppend, pending.args()...)
	if err != nil {
		return nil, fmt.Errorf("append to feeds: %w", err)
	}
	return pending.Collect(rows)
}

// PendingAppend is an Append that goes to the server together with other
// statements.
type PendingAppend struct {
	event booking.Event
	id    uuid.UUID
	data  json.RawMessage
}

// NewAppend gives the event its id, a UUIDv7.
func NewAppend(event booking.Event) (PendingAppend, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return PendingAppend{}, fmt.Errorf("make an event id: %w", err)
	}
	data, err := json.Marshal(event.Data)
	if err != nil {
		return PendingAppend{}, fmt.Errorf("encode an event: %w", err)
	}
	return PendingAppend{event: event, id: id, data: data}, nil
}

// Queue adds the statement to a batch.
func (p PendingAppend) Queue(batch *pgx.Batch) *pgx.QueuedQuery {
	return batch.Queue(sqlc.FeedAppend, p.args()...)
}

// args are in the order of sqlc.FeedAppendParams.
func (p PendingAppend) args() []any {
	return []any{
		p.id, p.event.Data.BookingID, string(p.event.Type), p.event.Time, string(p.event.By.Role), p.event.By.ID,
		p.event.StartTime, p.data, p.event.Data.ProviderID, p.event.Data.CustomerID,
	}
}

// Collect reads the entries that the statement wrote.
func (p PendingAppend) Collect(rows pgx.Rows) ([]Entry, error) {
	numbers, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sqlc.FeedAppendRow])
	if err != nil {
		return nil, fmt.Errorf("append to feeds: %w", err)
	}
	entries := make([]Entry, 0, len(numbers))
	for _, number := range numbers {
		entries = append(entries, Entry{
			Key:       Key{Role: booking.Role(number.Role), User: number.UserID},
			Sequence:  number.Sequence,
			ID:        p.id.String(),
			Type:      p.event.Type,
			BookingID: p.event.Data.BookingID,
			Time:      p.event.Time,
			Data:      p.data,
		})
	}
	return entries, nil
}
