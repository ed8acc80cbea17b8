package feed

import (
	"encoding/json"

	"github.com/google/uuid"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgbatch"
)

// AppendMany is Append for many events, in one statement. The feeds of all of them
// must be locked. Nothing is written of an event whose booking is not there, in whatever
// version. Once the batch has run, entries has those of each event, for a Publish each.
func AppendMany(batch *pgbatch.Batch, events []booking.Event, entries *[][]Entry) {
	var params sqlc.FeedAppendManyParams
	place := make(map[uuid.UUID]int, len(events))
	for i, event := range events {
		id := uuid.Must(uuid.NewV7())
		addEvent(&params, id, event)
		place[id] = i
	}
	pgbatch.Query(batch, new(sqlc.Queries).FeedAppendMany, params, func(rows []sqlc.FeedAppendManyRow) {
		*entries = make([][]Entry, len(events))
		for _, row := range rows {
			i := place[row.EventID]
			(*entries)[i] = append((*entries)[i], appendedOf(&params, i, row))
		}
	})
}

// addEvent adds an event to what is sent, field by field.
func addEvent(params *sqlc.FeedAppendManyParams, id uuid.UUID, event booking.Event) {
	data, err := json.Marshal(event.Data)
	if err != nil {
		panic(err) // texts alone
	}
	params.EventIds = append(params.EventIds, id)
	params.BookingIds = append(params.BookingIds, event.BookingID)
	params.ProviderIds = append(params.ProviderIds, event.Data.ProviderID)
	params.CustomerIds = append(params.CustomerIds, event.Data.CustomerID)
	params.Types = append(params.Types, string(event.Type))
	params.Times = append(params.Times, event.Time)
	params.ActorRoles = append(params.ActorRoles, string(event.By.Role))
	params.ActorIds = append(params.ActorIds, event.By.ID)
	params.StartTimes = append(params.StartTimes, event.StartTime)
	params.Data = append(params.Data, string(data))
}

// appendedOf is the entry of one party's feed, of the event in this place.
func appendedOf(params *sqlc.FeedAppendManyParams, place int, row sqlc.FeedAppendManyRow) Entry {
	return Entry{
		Key:        Key{Role: booking.Role(row.Role), User: row.UserID},
		Sequence:   row.Sequence,
		ID:         row.EventID.String(),
		PreviousID: row.PreviousID,
		Type:       booking.EventType(params.Types[place]),
		BookingID:  params.BookingIds[place].String(),
		Time:       params.Times[place],
		Data:       json.RawMessage(params.Data[place]),
		stored:     true,
	}
}
