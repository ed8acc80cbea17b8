package pgbatch_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgbatch"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	queries sqlc.Queries

	at                 = time.Date(2031, 3, 4, 9, 30, 0, 0, time.UTC)
	provider, customer = "ben", "anna"
)

// good is a booking that all constraints allow.
func good() booking.Booking {
	return booking.Booking{
		ID: uuid.New(), ProviderID: provider, CustomerID: customer, Slot: booking.Slot{Start: at, End: at.Add(time.Hour)},
		Status: booking.StatusPending, Version: 1, Reminder: booking.Reminder{DueTime: at, State: booking.ReminderSkipped}, CreateTime: at, UpdateTime: at,
	}
}

// heard is what the statements of a batch found, one of each sort that sqlc
// makes.
type heard struct {
	inserted []sqlc.BookingInsertRow
	row      sqlc.Booking
	pending  int64
}

func (h *heard) queue(batch *pgbatch.Batch, b booking.Booking) {
	params := sqlc.BookingInsertParams{MaxPending: 1}
	bookingdb.AddInsert(&params, b, "a-key", make([]byte, 32))
	pgbatch.Exec(batch, queries.FeedLockProvider, provider)
	pgbatch.Query(batch, queries.BookingInsert, params, func(rows []sqlc.BookingInsertRow) { h.inserted = rows })
	pgbatch.Query(batch, queries.BookingGet, b.ID, func(row sqlc.Booking) { h.row = row })
	count := sqlc.BookingCountPendingParams{CustomerID: b.CustomerID, ProviderID: b.ProviderID, Now: at.Add(-time.Hour)}
	pgbatch.Query(batch, queries.BookingCountPending, count, func(n int64) { h.pending = n })
}

func send(ctx context.Context, pool *pgxpool.Pool, batch *pgbatch.Batch) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return batch.Send(ctx, tx) })
}

func TestAStatementInABatchDoesWhatItDoesAlone(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := good()
	var h heard
	var batch pgbatch.Batch
	h.queue(&batch, b)
	if err := send(t.Context(), pool, &batch); err != nil {
		t.Fatal(err)
	}
	alone, err := queries.BookingGet(t.Context(), pool, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := (heard{inserted: []sqlc.BookingInsertRow{{ID: b.ID, Inserted: true}}, row: alone, pending: 1}); !reflect.DeepEqual(h, want) {
		t.Errorf("heard %+v\nnot   %+v", h, want)
	}
	if !alone.EndTime.Equal(b.Slot.End) || alone.CustomerID != b.CustomerID || *alone.IdempotencyKey != "a-key" {
		t.Errorf("stored %+v of %+v", alone, b)
	}
}

func TestNothingIsSentBeforeTheBatchIs(t *testing.T) {
	t.Parallel()
	var h heard
	h.queue(new(pgbatch.Batch), good()) // has no database to reach
	if !reflect.DeepEqual(h, heard{}) {
		t.Errorf("heard %+v", h)
	}
}

func TestAStatementThatFailsEndsTheBatchAndTheTransaction(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := good()
	b.CustomerID = b.ProviderID // one's own customer
	var h heard
	var batch pgbatch.Batch
	h.queue(&batch, b)
	if err := send(t.Context(), pool, &batch); err == nil {
		t.Error("it did not fail")
	}
	if !reflect.DeepEqual(h, heard{}) {
		t.Errorf("heard %+v", h)
	}
	var feeds int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM feeds WHERE role <> 'all'").Scan(&feeds); err != nil || feeds != 0 {
		t.Errorf("%d feeds, %v", feeds, err)
	}
}

func TestABatchThatIsJoinedIsSentWithTheOther(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var first, second, third heard
	var batch, joined pgbatch.Batch
	b := good()
	first.queue(&batch, b)
	pgbatch.Query(&joined, queries.BookingGet, b.ID, func(row sqlc.Booking) { second.row = row })
	batch.Join(&joined)
	pgbatch.Query(&batch, queries.BookingGet, b.ID, func(row sqlc.Booking) { third.row = row })
	if err := send(t.Context(), pool, &batch); err != nil {
		t.Fatal(err)
	}
	if first.row.ID != b.ID || !reflect.DeepEqual(second.row, first.row) || !reflect.DeepEqual(third.row, first.row) {
		t.Errorf("heard %+v\nand %+v\nand %+v", first.row, second.row, third.row)
	}
}

func TestARowThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var batch pgbatch.Batch
	pgbatch.Query(&batch, queries.BookingGet, uuid.Max, func(b sqlc.Booking) { t.Errorf("found %+v", b) })
	if err := send(t.Context(), pool, &batch); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("error = %v", err)
	}
}
