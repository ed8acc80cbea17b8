// Package feedtest writes events into the feeds of a provider and a customer,
// for tests of those who read them. Only tests import it.
package feedtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
)

// Writer writes events of one booking. Several goroutines may use it.
type Writer struct {
	t    testing.TB
	pool *pgxpool.Pool
	data booking.EventData
	at   time.Time

	Provider, Customer feed.Key
}

// NewWriter makes the booking that the events are about.
func NewWriter(t testing.TB, pool *pgxpool.Pool, provider, customer string) *Writer {
	t.Helper()
	w := &Writer{
		t: t, pool: pool, at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		data:     booking.EventData{BookingID: uuid.NewString(), ProviderID: provider, CustomerID: customer, Version: 1},
		Provider: feed.Key{Role: booking.RoleProvider, User: provider},
		Customer: feed.Key{Role: booking.RoleCustomer, User: customer},
	}
	w.execute(`
		INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
			reminder_due_time, reminder_state, create_time, update_time)
		VALUES ($1, $2, $3, $4, $4::timestamptz + interval '1 hour', 'CONFIRMED', '', 1, 0, $4, 'SKIPPED', $4, $4)`,
		w.data.BookingID, provider, customer, w.at)
	w.execute(`INSERT INTO feeds (role, user_id) VALUES ('provider', $1), ('customer', $2) ON CONFLICT DO NOTHING`, provider, customer)
	return w
}

// On is a writer of the same booking in a copy of its database.
func (w *Writer) On(pool *pgxpool.Pool) *Writer {
	there := *w
	there.pool = pool
	return &there
}

func (w *Writer) execute(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal("feedtest: ", err)
	}
}

// Try writes an event as a use case does, and returns its two entries once they
// are committed. Nobody has published them.
func (w *Writer) Try(ctx context.Context) ([]feed.Entry, error) {
	return w.try(ctx, booking.EventRescheduled)
}

func (w *Writer) try(ctx context.Context, kind booking.EventType) (entries []feed.Entry, err error) {
	err = pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		entries, err = w.In(ctx, tx, kind)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write an event: %w", err)
	}
	return entries, nil
}

// In writes an event in a transaction that the caller ends.
func (w *Writer) In(ctx context.Context, tx pgx.Tx, kind booking.EventType) (entries []feed.Entry, err error) {
	var batch pgbatch.Batch
	pgbatch.Exec(&batch, new(sqlc.Queries).FeedLockProvider, w.Provider.User)
	feed.Append(&batch, booking.Event{
		Type: kind, Time: w.at, By: booking.Internal,
		BookingID: uuid.MustParse(w.data.BookingID), StartTime: w.at, Data: w.data,
	}, &entries)
	err = batch.Send(ctx, tx)
	return entries, err
}

// Write is Try for tests in which nothing fails.
func (w *Writer) Write() []feed.Entry {
	w.t.Helper()
	return w.WriteOf(booking.EventRescheduled)
}

// WriteOf is Write of an event of a type.
func (w *Writer) WriteOf(kind booking.EventType) []feed.Entry {
	w.t.Helper()
	entries, err := w.try(context.WithoutCancel(w.t.Context()), kind)
	if err != nil {
		w.t.Error("feedtest: ", err)
	}
	return entries
}

// Fill writes many events that nobody hears of.
func (w *Writer) Fill(n int) {
	w.t.Helper()
	w.execute(`
		WITH new AS (
			INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
			SELECT gen_random_uuid(), $1::uuid, 'booking.rescheduled', $2::timestamptz, 'internal', '', $2::timestamptz, jsonb_build_object('bookingId', $1::uuid::text)
			FROM generate_series(1, $3::int) RETURNING id, ordinal
		), numbered AS (
			SELECT id, row_number() OVER (ORDER BY ordinal) AS number, lag(id) OVER (ORDER BY ordinal) AS previous_id FROM new
		), before AS (
			SELECT role, user_id, head, newest_id FROM feeds
			WHERE (role = 'provider' AND user_id = $4) OR (role = 'customer' AND user_id = $5)
		), advanced AS (
			UPDATE feeds
			SET head = feeds.head + $3::int, newest_id = (SELECT id FROM new ORDER BY ordinal DESC LIMIT 1),
				newest_ordinal = (SELECT max(ordinal) FROM new)
			FROM before WHERE feeds.role = before.role AND feeds.user_id = before.user_id
		)
		INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
		SELECT role, user_id, head + number, id, coalesce(previous_id, newest_id) FROM before, numbered`,
		w.data.BookingID, w.at, n, w.Provider.User, w.Customer.User)
}

// GoBack takes all feeds back to a number, as a database is that was restored from
// an older copy. What is written next is numbered anew.
func (w *Writer) GoBack(to int64) {
	w.t.Helper()
	w.execute(`DELETE FROM feed_entries WHERE sequence > $1`, to)
	w.execute(`
		UPDATE feeds SET head = $1, newest_id = feed_entries.event_id
		FROM feed_entries
		WHERE feed_entries.role = feeds.role AND feed_entries.user_id = feeds.user_id AND feed_entries.sequence = $1`, to)
}

// IDs are the events of a feed in PostgreSQL, in their order.
func (w *Writer) IDs(key feed.Key) []string {
	w.t.Helper()
	rows, err := w.pool.Query(context.WithoutCancel(w.t.Context()),
		`SELECT event_id::text FROM feed_entries WHERE role = $1 AND user_id = $2 ORDER BY sequence`, key.Role, key.User)
	if err != nil {
		w.t.Fatal("feedtest: ", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal("feedtest: ", err)
	}
	return ids
}
