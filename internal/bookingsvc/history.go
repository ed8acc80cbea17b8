package bookingsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgerror"
)

// HistoryEntry is one thing that happened to a booking.
type HistoryEntry struct {
	ID   uuid.UUID
	Type booking.EventType
	Time time.Time
	By   booking.Actor
	// Data is the JSON of a booking.EventData.
	Data json.RawMessage
}

// HistoryRequest asks for a page of a booking's history.
type HistoryRequest struct {
	ID        uuid.UUID
	PageSize  int
	PageToken string
}

// History reads a page of what happened to a booking, oldest first, and the
// token of the next page. It fails with BOOKING_NOT_FOUND or PAGE_TOKEN_INVALID.
func (s *Service) History(ctx context.Context, by booking.Actor, r HistoryRequest) ([]HistoryEntry, string, error) {
	// Events carry no owner to be asked. The booking does, and its parties never
	// change, so the two reads need no transaction.
	if _, err := bookingdb.Get(ctx, s.Pool, r.ID, by); err != nil {
		return nil, "", pgerror.Explain(err)
	}
	list := fingerprint("history", string(by.Role), by.ID, r.ID.String())
	var after int64
	if r.PageToken != "" {
		var err error
		if after, err = parseToken[int64](r.PageToken, list); err != nil {
			return nil, "", err
		}
	}
	size := pageSize(r.PageSize)
	// One more than the page shows whether there is another.
	rows, err := queries.BookingHistory(ctx, s.Pool, sqlc.BookingHistoryParams{BookingID: r.ID, After: after, PageSize: int32(size) + 1})
	if err != nil {
		return nil, "", pgerror.Explain(fmt.Errorf("read a history: %w", err))
	}
	next := ""
	if len(rows) > size {
		rows = rows[:size]
		next = newToken(rows[size-1].Ordinal, list)
	}
	entries := make([]HistoryEntry, 0, len(rows))
	for _, row := range rows {
		entries = append(entries, HistoryEntry{
			ID: row.ID, Type: booking.EventType(row.Type), Time: row.Time.UTC(),
			By: booking.Actor{Role: booking.Role(row.ActorRole), ID: row.ActorID}, Data: row.Data,
		})
	}
	return entries, next, nil
}
