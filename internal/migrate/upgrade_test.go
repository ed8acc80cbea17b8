package migrate_test

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"bookings/db"
	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/jobs"
	"bookings/internal/migrate"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
)

// What the first version wrote. Nobody may edit this: databases have it.
const (
	// firstKeyed is of a call with the key "a-key": booked, and cancelled since.
	firstKeyed = "01977d4e-3c1a-7c2b-9d5e-000000000003"
	// firstFingerprint is of that call.
	firstFingerprint = "35d3390c411ebf78cbbb491514b971de9e087cf4a479c1daa9e21e8a71bf7744"
	// firstPending is the booking that starts in three hours.
	firstPending = "01977d4e-3c1a-7c2b-9d5e-000000000001"
	// firstToCome is the booking whose reminder is to come.
	firstToCome = "01977d4e-3c1a-7c2b-9d5e-000000000002"

	firstBookings = `
		INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
			cancel_reason, cancelled_by, cancel_time, idempotency_key, request_fingerprint,
			reminder_due_time, reminder_state, reminder_job_id, create_time, update_time)
		VALUES
		('01977d4e-3c1a-7c2b-9d5e-000000000001', 'ben', 'anna', now() + interval '3 hours', now() + interval '4 hours',
			'PENDING', 'ring twice', 1, 0, NULL, NULL, NULL, NULL, NULL,
			now() + interval '170 minutes', 'SCHEDULED', 101, now(), now()),
		('01977d4e-3c1a-7c2b-9d5e-000000000002', 'ben', 'anna', now() + interval '1 hour', now() + interval '2 hours',
			'CONFIRMED', '', 2, 0, NULL, NULL, NULL, NULL, NULL,
			now() + interval '1 second', 'SCHEDULED', 102, now(), now()),
		('01977d4e-3c1a-7c2b-9d5e-000000000003', 'ben', 'anna', '2031-03-04 09:30Z', '2031-03-04 10:30Z',
			'CANCELLED', 'a note', 2, 0, 'ill', 'customer', now(), 'a-key', decode('` + firstFingerprint + `', 'hex'),
			'2031-03-04 09:20Z', 'SKIPPED', 103, now(), now()),
		('01977d4e-3c1a-7c2b-9d5e-000000000004', 'ben', 'Zoë|42', now() - interval '3 days', now() - interval '2 days',
			'COMPLETED', '', 5, 150, NULL, NULL, NULL, NULL, NULL,
			now() - interval '3 days', 'SENT', NULL, now(), now()),
		('01977d4e-3c1a-7c2b-9d5e-000000000005', 'ben', 'auth0|zoe', now() - interval '1 day', now() - interval '23 hours',
			'NO_SHOW', '', 2, 0, NULL, NULL, NULL, NULL, NULL,
			now() - interval '1 day', 'SKIPPED', NULL, now(), now())`
	firstEvents = `
		INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
		SELECT gen_random_uuid(), id, 'booking.created',
			now() - CASE id WHEN '01977d4e-3c1a-7c2b-9d5e-000000000001' THEN interval '40 days' ELSE interval '1 day' END, 'provider', 'ben', start_time,
			jsonb_build_object('bookingId', id) FROM bookings ORDER BY id`
	firstFeeds = `
		INSERT INTO feeds (role, user_id, head)
		SELECT 'customer', customer_id, count(*) FROM bookings GROUP BY customer_id
		UNION ALL SELECT 'provider', provider_id, count(*) FROM bookings GROUP BY provider_id`
	firstEntries = `
		INSERT INTO feed_entries (role, user_id, sequence, event_id)
		SELECT 'customer', customer_id, row_number() OVER (PARTITION BY customer_id ORDER BY ordinal), booking_events.id
		FROM booking_events JOIN bookings ON bookings.id = booking_id
		UNION ALL
		SELECT 'provider', provider_id, row_number() OVER (PARTITION BY provider_id ORDER BY ordinal), booking_events.id
		FROM booking_events JOIN bookings ON bookings.id = booking_id`
	// It had pruned the provider's first entry, and all that one customer had.
	firstPruned = `
		WITH pruned AS (
			DELETE FROM feed_entries WHERE user_id = 'auth0|zoe' OR user_id = 'ben' AND sequence = 1 RETURNING role, user_id
		)
		UPDATE feeds SET pruned_through = 1 FROM pruned WHERE feeds.role = pruned.role AND feeds.user_id = pruned.user_id`
	firstJobs = `
		INSERT INTO river_job (id, kind, queue, state, max_attempts, args, scheduled_at)
		SELECT reminder_job_id, 'reminder', 'reminders', 'scheduled', 25,
			jsonb_build_object('bookingId', id, 'moves', moves, 'requestId', 'the-request'), reminder_due_time
		FROM bookings WHERE reminder_state = 'SCHEDULED'`
)

// firstVersion is a database as the first version left it.
func firstVersion(t *testing.T) (address string, pool *pgxpool.Pool) {
	t.Helper()
	address = pgtest.Empty(t)
	pool = open(t, address)
	files, err := fs.Sub(db.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := goose.NewProvider(goose.DialectPostgres, stdlib.OpenDBFromPool(pool), files)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	if _, err := ours.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	rivers, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rivers.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{firstBookings, firstEvents, firstFeeds, firstEntries, firstPruned, firstJobs} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
	}
	return address, pool
}

// upgraded is the program of today on a database of the first version.
type upgraded struct {
	*bookingsvc.Service
	t *testing.T
}

func upgrade(t *testing.T) *upgraded {
	t.Helper()
	address, pool := firstVersion(t)
	tables := filesOf(t, pool)
	if err := migrate.Up(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if got := filesOf(t, pool); got != tables {
		t.Errorf("a table was rewritten: %s, then %s", tables, got)
	}
	log := slog.New(slog.DiscardHandler)
	feeds := feed.NewHub(pool, nil, log)
	client, err := jobs.NewWorker(pgpool.Of(pool), log, time.Now,
		&remind.Worker{Pool: pgpool.Of(pool), Feeds: feeds, Log: log}, &expire.Worker{Pool: pgpool.Of(pool), Feeds: feeds, Log: log},
		&jobs.Pruner{Pool: pgpool.Of(pool), Retention: 30 * 24 * time.Hour, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { feeds.Run(t.Context()) })
	t.Cleanup(running.Wait)
	t.Cleanup(func() { <-client.Stopped() })
	return &upgraded{t: t, Service: &bookingsvc.Service{
		Pool: pgpool.Of(pool), Jobs: client, Feeds: feeds, Log: log, Now: time.Now, Terms: booking.Terms{Leads: booking.Leads{10 * time.Minute}, PendingTTL: time.Hour}, MaxPending: 10,
	}}
}

// filesOf are the files of tables: a rewrite gives a table another.
func filesOf(t *testing.T, pool *pgxpool.Pool) (files string) {
	t.Helper()
	const sql = `SELECT string_agg(name || ' ' || pg_relation_filenode(name), ', ')
		FROM unnest(ARRAY['bookings', 'booking_events', 'feeds', 'feed_entries']) AS name`
	if err := pool.QueryRow(t.Context(), sql).Scan(&files); err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	anna = booking.Actor{Role: booking.RoleCustomer, ID: "anna"}
	ben  = booking.Actor{Role: booking.RoleProvider, ID: "ben"}
)

func TestADatabaseOfTheFirstVersionGoesOn(t *testing.T) {
	t.Parallel()
	u := upgrade(t)
	u.wantsAllRead()
	u.wantsItsReminder()
	u.wantsTheKeyReplayed()
	u.wantsAnUpdate()
	u.wantsFeedsToGoOn()
	u.wantsEntriesToNameTheOneBefore()
	u.wantsEverythingInOneFeed()
	u.wantsItsLeadKept()
}

// wantsAllRead reads bookings one by one, in lists of each party, and their histories.
func (u *upgraded) wantsAllRead() {
	u.t.Helper()
	for n, status := range []booking.Status{
		booking.StatusPending, booking.StatusConfirmed, booking.StatusCancelled, booking.StatusCompleted, booking.StatusNoShow,
	} {
		id := uuid.MustParse(fmt.Sprintf("01977d4e-3c1a-7c2b-9d5e-%012d", n+1))
		b, err := u.Get(u.t.Context(), ben, id)
		if err != nil || b.Status != status {
			u.t.Errorf("booking %d: %s, %v", n+1, b.Status, err)
		}
		if events, _, err := u.History(u.t.Context(), ben, bookingsvc.HistoryRequest{ID: id}); err != nil || len(events) == 0 {
			u.t.Errorf("booking %d: %d events, %v", n+1, len(events), err)
		}
		customer := booking.Actor{Role: booking.RoleCustomer, ID: b.CustomerID}
		if listed, _, err := u.List(u.t.Context(), customer, bookingsvc.ListRequest{}); err != nil || len(listed) == 0 {
			u.t.Errorf("%s has %d bookings, %v", customer.ID, len(listed), err)
		}
	}
	if listed, _, err := u.List(u.t.Context(), ben, bookingsvc.ListRequest{}); err != nil || len(listed) != 5 {
		u.t.Errorf("the provider has %d bookings, %v", len(listed), err)
	}
}

func (u *upgraded) wantsItsReminder() {
	u.t.Helper()
	pgtest.Eventually(u.t, "a reminder", func() bool {
		b, err := u.Get(u.t.Context(), anna, uuid.MustParse(firstToCome))
		return err == nil && b.Reminder.State == booking.ReminderSent
	})
	const told = `SELECT coalesce(array_agg((data->>'leadSeconds')::int), '{}') FROM booking_events WHERE booking_id = $1 AND type = 'booking.reminder.due'`
	var leads []int
	if err := u.Pool.QueryRow(u.t.Context(), told, firstToCome).Scan(&leads); err != nil || !slices.Equal(leads, []int{3599}) {
		u.t.Errorf("reminded by %v, %v", leads, err)
	}
}

// wantsItsLeadKept moves a booking whose reminder the first version has scheduled.
func (u *upgraded) wantsItsLeadKept() {
	u.t.Helper()
	before, err := u.Get(u.t.Context(), ben, uuid.MustParse(firstPending))
	if err != nil || !slices.Equal(before.Reminder.Leads, booking.Leads{10 * time.Minute}) {
		u.t.Fatalf("%+v, %v", before.Reminder, err)
	}
	later := booking.Slot{Start: before.Slot.Start.Add(48 * time.Hour), End: before.Slot.End.Add(48 * time.Hour)}
	after, err := u.Reschedule(u.t.Context(), ben, bookingsvc.Target{ID: before.ID}, bookingsvc.Move{Slot: later})
	if err != nil || after.Lead() != 10*time.Minute || *after.Reminder.JobID == *before.Reminder.JobID {
		u.t.Errorf("%+v, %v", after.Reminder, err)
	}
	var state string
	if err := u.Pool.QueryRow(u.t.Context(), "SELECT state FROM river_job WHERE id = $1", *before.Reminder.JobID).Scan(&state); err != nil || state != "cancelled" {
		u.t.Errorf("the job of the first version is %s, %v", state, err)
	}
}

func (u *upgraded) wantsTheKeyReplayed() {
	u.t.Helper()
	start := time.Date(2031, 3, 4, 9, 30, 0, 0, time.UTC)
	request := booking.Request{
		ProviderID: "ben", Slot: booking.Slot{Start: start, End: start.Add(time.Hour)},
		Details: booking.Details{Note: "a note"}, IdempotencyKey: "a-key",
	}
	created, err := u.Create(u.t.Context(), anna, request)
	if err != nil || !created.Replayed || created.Booking.ID.String() != firstKeyed || created.Booking.Cancellation == nil {
		resolved, _ := request.Resolve(anna)
		u.t.Errorf("%+v, %v; the fingerprint would be %s", created, err, hex.EncodeToString(booking.Fingerprint(anna, resolved)))
	}
}

// wantsAnUpdate writes what the first version did not know.
func (u *upgraded) wantsAnUpdate() {
	u.t.Helper()
	facts := booking.Metadata{"service": "cut"}
	there := bookingsvc.Target{ID: uuid.MustParse(firstKeyed), Etag: `W/"2"`}
	b, err := u.Change(u.t.Context(), anna, there, booking.Update(booking.Patch{Metadata: &facts}))
	if err != nil || b.Version != 3 || b.Metadata["service"] != "cut" || b.Note != "a note" {
		u.t.Errorf("updated %+v, %v", b, err)
	}
}

// wantsFeedsToGoOn books once more, which takes the next number of each feed, and
// lets the pruner find the one event that is old.
func (u *upgraded) wantsFeedsToGoOn() {
	u.t.Helper()
	start := time.Now().Add(10 * time.Hour)
	if _, err := u.Create(u.t.Context(), ben, booking.Request{
		CustomerID: "Zoë|42", Slot: booking.Slot{Start: start, End: start.Add(25 * time.Hour)},
	}); err != nil {
		u.t.Error(err)
	}
	// A feed that is being written to is left for the next round.
	pgtest.Eventually(u.t, "rounds of pruning", func() bool {
		if _, _, err := feed.Prune(u.t.Context(), u.Pool, time.Now().AddDate(0, 0, -30)); err != nil {
			u.t.Error(err)
		}
		var left int
		err := u.Pool.QueryRow(u.t.Context(), "SELECT count(*) FROM feeds WHERE oldest_time = '-infinity'").Scan(&left)
		return err == nil && left == 0
	})
	// Each has what the first version wrote, the reminder, the update, and the new booking.
	for key, want := range map[feed.Key][2]int64{
		{Role: booking.RoleProvider, User: "ben"}:       {2, 5 + 1 + 1 + 1},
		{Role: booking.RoleCustomer, User: "anna"}:      {2, 3 + 1 + 1},
		{Role: booking.RoleCustomer, User: "Zoë|42"}:    {1, 1 + 1},
		{Role: booking.RoleCustomer, User: "auth0|zoe"}: {2, 1},
	} {
		entries, err := feed.Read(u.t.Context(), u.Pool, key, 0, 100)
		if err != nil || int64(len(entries)) != want[1]-want[0]+1 || len(entries) > 0 && entries[0].Sequence != want[0] {
			u.t.Errorf("%v: %d entries, not %d to %d, %v", key, len(entries), want[0], want[1], err)
		}
	}
}

// wantsEntriesToNameTheOneBefore also where that has been pruned.
func (u *upgraded) wantsEntriesToNameTheOneBefore() {
	u.t.Helper()
	const wrong = `
		SELECT feeds.role || ' ' || feeds.user_id || ' ' || number
		FROM feeds
		CROSS JOIN LATERAL generate_series(feeds.pruned_through, feeds.head) AS number
		LEFT JOIN feed_entries AS next USING (role, user_id)
		WHERE next.sequence = number + 1 AND number > 0
		  AND next.previous_id IS DISTINCT FROM (
			SELECT id FROM (
				SELECT booking_events.id, row_number() OVER (ORDER BY ordinal) AS place
				FROM booking_events
				JOIN bookings ON bookings.id = booking_id
				WHERE feeds.role = 'all' OR (feeds.role = 'provider' AND provider_id = feeds.user_id) OR (feeds.role = 'customer' AND customer_id = feeds.user_id)
			) AS placed
			WHERE place = number
		)
		UNION ALL
		SELECT feeds.role || ' ' || feeds.user_id || ' head'
		FROM feeds
		WHERE feeds.newest_id IS DISTINCT FROM (
			SELECT booking_events.id
			FROM booking_events
			JOIN bookings ON bookings.id = booking_id
			WHERE feeds.role = 'all' OR (feeds.role = 'provider' AND provider_id = feeds.user_id) OR (feeds.role = 'customer' AND customer_id = feeds.user_id)
			ORDER BY ordinal DESC
			LIMIT 1
		)`
	pgtest.Eventually(u.t, "entries that name the one before", func() bool {
		var faults string
		err := u.Pool.QueryRow(u.t.Context(), "SELECT coalesce(string_agg(fault, ', '), '') FROM ("+wrong+") AS wrong(fault)").Scan(&faults)
		return err == nil && faults == ""
	})
}

func (u *upgraded) wantsEverythingInOneFeed() {
	u.t.Helper()
	pgtest.Eventually(u.t, "every event in one feed", func() bool {
		var events, entries int64
		err := u.Pool.QueryRow(u.t.Context(), `
			SELECT (SELECT count(*) FROM booking_events), (SELECT head FROM feeds WHERE role = 'all')`).Scan(&events, &entries)
		return err == nil && events == entries && events > 5
	})
}
