package bookingdb_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	queries sqlc.Queries

	now      = time.Date(2031, 3, 4, 9, 30, 0, 123_456_000, time.UTC)
	customer = booking.Actor{Role: booking.RoleCustomer, ID: "anna"}
	provider = booking.Actor{Role: booking.RoleProvider, ID: "ben"}
)

// details are what JSON and SQL might change on their way.
var details = booking.Details{
	Note: "ring twice ☎", Metadata: booking.Metadata{"b": "<\\u0041>", "a": "", "A.b_c-0": "\t✂\u2028", "x": "'; --"},
}

// confirmed is a booking of anna's at ben's, whose row draws the id of a job.
func confirmed() booking.Booking {
	return booking.Booking{
		ID: uuid.New(), ProviderID: provider.ID, CustomerID: customer.ID,
		Slot:   booking.Slot{Start: now, End: now.Add(time.Hour)},
		Status: booking.StatusConfirmed, Details: details,
		Reminder: booking.Reminder{Leads: booking.Leads{24 * time.Hour, 10 * time.Minute}, DueTime: now.Add(-10 * time.Minute), State: booking.ReminderScheduled},
		Version:  1, CreateTime: now.Add(-2 * time.Hour), UpdateTime: now.Add(-time.Hour),
	}
}

func insert(t *testing.T, pool *pgxpool.Pool, b booking.Booking) booking.Booking {
	t.Helper()
	row := insertWithKey(t, pool, b, "", nil)
	if !row.Inserted {
		t.Fatal("inserted: ", row)
	}
	return bookingdb.WithJobs(b, row.ReminderJobID, row.ExpireJobID)
}

// insertWithKey inserts a booking where it may: it is the only PENDING one that may be.
func insertWithKey(t *testing.T, pool sqlc.DBTX, b booking.Booking, key string, fingerprint []byte) sqlc.BookingInsertRow {
	t.Helper()
	params := sqlc.BookingInsertParams{MaxPending: 1}
	bookingdb.AddInsert(&params, b, key, fingerprint)
	rows, err := queries.BookingInsert(t.Context(), pool, params)
	if err != nil || len(rows) != 1 || rows[0].ID != b.ID {
		t.Fatalf("inserted: %+v, %v", rows, err)
	}
	return rows[0]
}

// begin begins a transaction that ends with the test at the latest.
func begin(t *testing.T, pool *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func value[T any](t *testing.T, db sqlc.DBTX, sql string, args ...any) (value T) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
