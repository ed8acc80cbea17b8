package bookingdb_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgerror"
	"bookings/internal/pgtest"
)

// columns are what a row differs in from a good one. SQL spells the values, as
// the database is asked here and not our code.
type columns map[string]string

var good = map[string]columns{
	"bookings": {
		"id": "gen_random_uuid()", "provider_id": "'other'", "customer_id": "'anna'",
		"start_time": "'2031-03-04 09:00Z'", "end_time": "'2031-03-04 10:00Z'",
		"status": "'CONFIRMED'", "note": "''", "version": "1", "moves": "0",
		"reminder_due_time": "'2031-03-04 08:50Z'", "reminder_state": "'SCHEDULED'", "reminder_job_id": "1",
		"create_time": "now()", "update_time": "now()",
	},
	"booking_events": {
		"id": "gen_random_uuid()", "booking_id": existing, "type": "'booking.created'", "time": "now()",
		"actor_role": "'customer'", "actor_id": "'anna'", "start_time": "'2031-03-04 09:00Z'", "data": "'{}'",
	},
	"feeds":        {"role": "'customer'", "user_id": "gen_random_uuid()::text", "head": "2", "pruned_through": "2", "newest_id": "gen_random_uuid()"},
	"feed_entries": {"role": "'customer'", "user_id": "gen_random_uuid()::text", "sequence": "1", "event_id": "gen_random_uuid()"},
}

const existing = "'01977d4e-3c1a-7c2b-9d5e-0123456789ab'"

// present are the rows that are there already.
var present = map[string]columns{
	"bookings":       {"id": existing, "provider_id": "'ben'", "idempotency_key": "'a-key'", "request_fingerprint": "sha256('')"},
	"booking_events": {"id": existing, "type": "'booking.reminder.due'", "ordinal": "77", "data": `'{"leadSeconds": 600}'`},
	"feeds":          {"user_id": "'anna'"},
	"feed_entries":   {"user_id": "'anna'"},
}

// insertion spells an INSERT of a good row with some columns changed.
func insertion(table string, changed columns) string {
	row := maps.Clone(good[table])
	maps.Copy(row, changed)
	names := slices.Sorted(maps.Keys(row))
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = row[name]
	}
	return fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)",
		table, strings.Join(names, ", "), strings.Join(values, ", "))
}

func TestEveryConstraintRefusesWhatBreaksIt(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	insertPresent(t, pool)
	for name, rows := range breaking {
		for _, row := range rows {
			table := tableOf(name)
			_, err := pool.Exec(t.Context(), insertion(table, row))
			refusal, ok := errors.AsType[*pgconn.PgError](err)
			if !ok || refusal.ConstraintName != name || refusal.TableName != table {
				t.Errorf("%s, %v: %v", name, row, err)
			}
		}
	}
}

func TestNoConstraintIsLeftUntested(t *testing.T) {
	t.Parallel()
	names := value[[]string](t, pgtest.New(t), `
		SELECT array_agg(name::text ORDER BY name) FROM (
			SELECT conname AS name FROM pg_constraint WHERE conrelid = ANY ($1::regclass[])
			UNION
			SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
			WHERE indisunique AND indrelid = ANY ($1::regclass[])
		) AS constraints`, slices.Sorted(maps.Keys(good)))
	// PostgreSQL 18 counts NOT NULLs in, which are not ours to name.
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_not_null") })
	if tested := slices.Sorted(maps.Keys(breaking)); !slices.Equal(names, tested) {
		t.Errorf("there are\n%v, tested are\n%v", names, tested)
	}
}

func TestWhatNoRuleForbidsIsAccepted(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	insertPresent(t, pool)
	for name, row := range map[string]columns{
		"directly after": {"provider_id": "'ben'", "start_time": "'2031-03-04 10:00Z'", "end_time": "'2031-03-04 11:00Z'"},
		"directly before": {
			"provider_id": "'ben'", "start_time": "'2031-03-04 08:00Z'", "end_time": "'2031-03-04 09:00Z'",
			"reminder_due_time": "'2031-03-04 08:00Z'",
		},
		"at the same time, cancelled": cancelled(columns{"provider_id": "'ben'"}),
		"at the same time, completed": {"provider_id": "'ben'", "status": "'COMPLETED'", "reminder_state": "'SENT'"},
		"at the same time, no show":   {"provider_id": "'ben'", "status": "'NO_SHOW'", "reminder_state": "'SKIPPED'"},
		"at another provider":         {},
		"another provider's key":      keyed("'a-key'", columns{"provider_id": "'carl'"}),
		"a key of 255":                keyed("repeat('~', 255)", columns{"provider_id": "'dora'"}),
		"a long day":                  {"provider_id": "'emil'", "end_time": "'2031-03-05 10:00Z'"},
		"many facts": {
			"provider_id": "'frida'",
			"metadata":    `(SELECT jsonb_object_agg(repeat('Az09_.-', 5) || '-' || i, repeat(E'\n𝄞', 250)) FROM generate_series(1, 20) AS i)`,
		},
		"long texts": {"provider_id": "repeat('ä', 128)", "note": "repeat('ä', 1000)"},
	} {
		if _, err := pool.Exec(t.Context(), insertion("bookings", row)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The names that pgerror knows are the names that the database says.
func TestTheDatabasesRulesReachTheCallerInTheDomainsWords(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	insertPresent(t, pool)
	for name, want := range map[string]booking.Reason{
		"bookings_no_overlap":             booking.ReasonSlotTaken,
		"bookings_idempotency_key_unique": booking.ReasonIdempotencyKeyReused,
	} {
		for _, row := range breaking[name] {
			_, err := pool.Exec(t.Context(), insertion("bookings", row))
			if !booking.IsReason(pgerror.Explain(err), want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func insertPresent(t *testing.T, pool sqlc.DBTX) {
	t.Helper()
	for _, table := range []string{"bookings", "booking_events", "feeds", "feed_entries"} {
		exec(t, pool, insertion(table, present[table]))
	}
}

func tableOf(constraint string) string {
	for _, table := range []string{"booking_events", "bookings", "feed_entries", "feeds"} {
		if strings.HasPrefix(constraint, table+"_") {
			return table
		}
	}
	return ""
}
