package soak

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
	"bookings/internal/jobs"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
)

// lies are what the check must find: each is told of a history that is true.
var lies = []struct {
	name, found string
	// sql changes what is stored, told what callers were answered.
	sql  string
	told func(*history, truth)
}{
	{name: "a slot is taken twice", found: bookedTwice, sql: `
		ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap;
		UPDATE bookings SET start_time = now() + interval '1 day', end_time = now() + interval '2 days', reminder_due_time = now(),
		  status = 'PENDING', cancel_reason = NULL, cancelled_by = NULL, cancel_time = NULL`},
	{name: "a key is of two bookings", found: "a key of several bookings: ", sql: `
		ALTER TABLE bookings DROP CONSTRAINT bookings_idempotency_key_unique;
		UPDATE bookings SET idempotency_key = 'key-1'`},
	{name: "a key is answered in two ways", found: "the key key-1 ", told: func(h *history, is truth) {
		h.keyed["key-1"] = append(h.keyed["key-1"], is.cancelled)
	}},
	{name: "a key is refused that has booked", found: "the key key-1 was refused", told: func(h *history, _ truth) { h.keyed["key-1"] = nil }},
	{name: "an entry of a feed is missing", found: "a gap in a feed: ", sql: `DELETE FROM feed_entries WHERE role = 'customer' AND sequence = 2`},
	{name: "a feed's last entry is missing", found: "a gap in a feed: ", sql: `DELETE FROM feed_entries WHERE role = 'provider' AND sequence = 5`},
	{name: "a feed has an entry beyond its head", found: "a gap in a feed: ", sql: `UPDATE feeds SET head = head - 1 WHERE role = 'all'`},
	{name: "an entry names another before it", found: "an entry that does not name the one before: ", sql: `
		UPDATE feed_entries SET previous_id = event_id WHERE role = 'provider' AND sequence = 2`},
	{name: "an event is missing in a feed", found: "an event that is not once in each of its feeds: ", sql: `DELETE FROM feed_entries WHERE role = 'all' AND sequence = 3`},
	{name: "an event is twice in a feed", found: "an event that is not once in each of its feeds: ", sql: `
		INSERT INTO feed_entries SELECT role, user_id, sequence + 100, event_id, event_id FROM feed_entries WHERE role = 'all' AND sequence = 3`},
	{name: "an entry is of no event", found: "an entry of no event: ", sql: `UPDATE feed_entries SET event_id = gen_random_uuid() WHERE role = 'all' AND sequence = 3`},
	{name: "feeds disagree on the order", found: "the feed of everything disagrees with a user's: ", sql: `
		ALTER TABLE feed_entries DROP CONSTRAINT feed_entries_previous_check;
		UPDATE feed_entries SET sequence = 100 - sequence WHERE role = 'all'`},
	{name: "a version has no event", found: "a history with a gap: ", sql: `UPDATE bookings SET version = version + 1`},
	{name: "a reminder has no job", found: "a booking without its reminder's job", sql: `DELETE FROM river_job WHERE state = 'scheduled'`},
	{name: "a job has no booking", found: "a booking without its reminder's job", sql: `UPDATE river_job SET state = 'scheduled', finalized_at = NULL`},
	{name: "a job is of two bookings", found: "a job of several bookings: ", sql: `
		UPDATE bookings SET reminder_job_id = 1, status = 'PENDING', cancel_reason = NULL, cancelled_by = NULL, cancel_time = NULL`},
	{name: "a reminder does not come", found: "a reminder that is due and did not come once: ", sql: `
		UPDATE bookings SET start_time = now() + interval '5 minutes', end_time = now() + interval '1 hour', reminder_due_time = now() WHERE status = 'PENDING'`},
	{name: "a reminder follows a cancel", found: "a reminder after a cancel: ", sql: `
		INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
		SELECT gen_random_uuid(), booking_id, 'booking.reminder.due', now(), 'internal', '', start_time, data
		FROM booking_events WHERE type = 'booking.cancelled'`},
	{name: "an answer is of what was never booked", found: "acknowledged and lost: ", told: func(h *history, _ truth) {
		h.booked["00000000-0000-0000-0000-000000000000"] = map[int64]state{1: {}}
	}},
	{name: "an answer has another note", found: "version 2 of ", sql: `UPDATE bookings SET note = 'another'`},
	{name: "an answer is of a version that did not happen", found: "version 9 of ", told: func(h *history, is truth) { h.booked[is.moved][9] = state{status: "CONFIRMED"} }},
	{name: "a change is told to nobody", found: "version 2 of ", told: func(h *history, is truth) { delete(h.booked[is.moved], 2) }},
	{name: "a refused start is there", found: "refused, and there: a start", told: func(h *history, is truth) {
		h.refusals = append(h.refusals, mark{start: h.booked[is.moved][1].start})
	}},
	{name: "a refused note is there", found: "refused, and there: the note", told: func(h *history, _ truth) { h.refusals = append(h.refusals, mark{note: "note 1"}) }},
}

// Each part of the check is able to fail.
func TestTheCheckOfAHistoryFindsEachLie(t *testing.T) {
	t.Parallel()
	h, _ := trueHistory(t)
	if found := h.check(); len(found) > 0 {
		t.Errorf("a true history is found wrong: %q", found)
	}
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			h, is := trueHistory(t)
			if lie.told != nil {
				lie.told(h, is)
			} else {
				h.world.execute(lie.sql)
			}
			if found := h.check(); !slices.ContainsFunc(found, func(fault string) bool { return strings.HasPrefix(fault, lie.found) }) {
				t.Errorf("found is %q", found)
			}
		})
	}
}

// truth names the bookings of a history: one that was moved, and one that was made,
// moved and cancelled.
type truth struct{ moved, cancelled string }

// trueHistory is a short one that the use cases have written.
func trueHistory(t *testing.T) (*history, truth) {
	t.Helper()
	pool, log := pgtest.New(t), slog.New(slog.DiscardHandler)
	inserter, err := jobs.NewInserter(pgpool.Of(pool), log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	hub := feed.NewHub(pool, nil, log)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	desk := &bookingsvc.Service{
		Pool: pgpool.Of(pool), Jobs: inserter, Feeds: hub, Log: log, Now: time.Now, Terms: booking.Terms{Leads: booking.Leads{time.Hour}}, MaxPending: 10,
	}
	h := &history{
		world:  &world{t: t, database: pool.Config().ConnString()},
		booked: map[string]map[int64]state{}, keyed: map[string][]string{},
	}
	is := truth{moved: h.write(desk, "1", false), cancelled: h.write(desk, "2", true)}
	pgtest.Eventually(t, "the feed of everything", func() bool {
		var waiting bool
		if err := pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM event_outbox)").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		return !waiting
	})
	return h, is
}

// write makes and moves a booking, and takes down what was answered.
func (h *history) write(desk *bookingsvc.Service, name string, cancel bool) string {
	h.world.t.Helper()
	who := booking.Actor{Role: booking.RoleCustomer, ID: "customer"}
	start := time.Now().Truncate(time.Second).Add(time.Duration(24*(1+len(h.booked))) * time.Hour)
	told := func(b booking.Booking, err error) string {
		h.world.t.Helper()
		if err != nil {
			h.world.t.Fatal(err)
		}
		if h.booked[b.ID.String()] == nil {
			h.booked[b.ID.String()] = map[int64]state{}
		}
		h.booked[b.ID.String()][b.Version] = state{
			status: "BOOKING_STATUS_" + string(b.Status), start: b.Slot.Start.UTC(), end: b.Slot.End.UTC(), note: b.Note,
		}
		return b.ID.String()
	}
	made, err := desk.Create(h.world.t.Context(), who, booking.Request{
		ProviderID: "provider", Slot: booking.Slot{Start: start, End: start.Add(time.Hour)},
		Details: booking.Details{Note: "note " + name}, IdempotencyKey: "key-" + name,
	})
	id := told(made.Booking, err)
	h.keyed["key-"+name] = []string{id, id}
	target := bookingsvc.Target{ID: made.Booking.ID}
	told(desk.Reschedule(h.world.t.Context(), who, target, bookingsvc.Move{Slot: booking.Slot{Start: start.Add(time.Hour), End: start.Add(2 * time.Hour)}}))
	if cancel {
		told(desk.Change(h.world.t.Context(), who, target, booking.Cancel("")))
	}
	return id
}
