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
	"bookings/internal/pgbatch"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	queries sqlc.Queries

	at                 = time.Date(2031, 3, 4, 9, 30, 0, 0, time.UTC)
	provider, customer = "ben", "anna"
)

// good are the parameters of a booking that all constraints allow.
func good() sqlc.BookingInsertParams {
	key := "a-key"
	return sqlc.BookingInsertParams{
		ID: uuid.New(), ProviderID: provider, CustomerID: customer,
		StartTime: at, EndTime: at.Add(time.Hour), Status: "PENDING", Version: 1,
		IdempotencyKey: &key, RequestFingerprint: make([]byte, 32),
		Metadata: []byte("{}"), ReminderLeads: []int32{}, ReminderDueTime: at, ReminderState: "SKIPPED", CreateTime: at, UpdateTime: at,
	}
}

// heard is what the statements of a batch found, one of each sort that sqlc
// makes.
type heard struct {
	inserted sqlc.BookingInsertRow
	byKey    []sqlc.Booking
	pending  int64
}

func (h *heard) queue(batch *pgbatch.Batch, b sqlc.BookingInsertParams) {
	pgbatch.Exec(batch, queries.FeedLockProvider, provider)
	pgbatch.Query(batch, queries.BookingInsert, b, func(row sqlc.BookingInsertRow) { h.inserted = row })
	key := sqlc.BookingGetByKeyParams{ProviderID: b.ProviderID, IdempotencyKey: b.IdempotencyKey}
	pgbatch.Query(batch, queries.BookingGetByKey, key, func(rows []sqlc.Booking) { h.byKey = rows })
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
	if want := (heard{inserted: sqlc.BookingInsertRow{Inserted: true}, byKey: []sqlc.Booking{alone}, pending: 1}); !reflect.DeepEqual(h, want) {
		t.Errorf("heard %+v\nnot   %+v", h, want)
	}
	if !alone.EndTime.Equal(b.EndTime) || alone.CustomerID != b.CustomerID || *alone.IdempotencyKey != *b.IdempotencyKey {
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

func TestARowThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var batch pgbatch.Batch
	pgbatch.Query(&batch, queries.BookingGet, uuid.Max, func(b sqlc.Booking) { t.Errorf("found %+v", b) })
	if err := send(t.Context(), pool, &batch); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("error = %v", err)
	}
}
