package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"bookings/internal/pgtest"
)

func TestTheJobOfAKilledWorkerIsRescuedAndRemindsOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for River's rescuer")
	}
	databaseURL := pgtest.URL(t)
	lead := "REMINDER_LEADS=48h" // so that tomorrow's reminder is due at once
	id := book(t, launch(t, environ(databaseURL, lead), "serve", "--worker=false").address())

	// The worker begins the job and waits for the feed's lock, where it dies.
	release := lockFeed(t, databaseURL)
	victim := launch(t, environ(databaseURL), "worker")
	const blocked = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`
	pgtest.Eventually(t, "a worker in the middle of the job", func() bool { return count(t, databaseURL, blocked) == 1 })
	_ = victim.signal(syscall.SIGKILL)
	release()

	// River rescues what has run for a minute: the job is made to look so old.
	const age = `WITH aged AS (UPDATE river_job SET attempted_at = now() - interval '61 seconds' WHERE state = 'running' AND kind = 'reminder' RETURNING 1) SELECT count(*) FROM aged`
	if aged := count(t, databaseURL, age); aged != 1 {
		t.Fatalf("%d jobs are left running", aged)
	}
	if line := launch(t, environ(databaseURL), "worker").line("reminder due"); !strings.Contains(line, id) {
		t.Errorf("the second worker reminded: %s", line)
	}
	const reminders = `SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due'`
	if n := count(t, databaseURL, reminders); n != 1 {
		t.Errorf("%d reminders were sent", n)
	}
}

// lockFeed holds bob's feed until the function that it returns is called.
func lockFeed(t *testing.T, databaseURL string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `BEGIN; SELECT FROM feeds WHERE user_id = 'bob' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close(t.Context()) }
}
