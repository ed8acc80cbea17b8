package soak

import (
	"context"

	"bookings/internal/pause"
)

// feeds are all feeds as PostgreSQL knows them, once the feed of everything has
// all that has happened.
func (w *world) feeds() map[feedName][]entry {
	w.t.Helper()
	w.awaitNumbered()
	w.checkOrder()
	feeds := map[feedName][]entry{}
	var name feedName
	var e entry
	w.read(`
		SELECT role, user_id, sequence, event_id::text, type
		FROM feed_entries
		JOIN booking_events ON booking_events.id = feed_entries.event_id
		ORDER BY role, user_id, sequence`,
		func() { feeds[name] = append(feeds[name], e) }, &name.role, &name.user, &e.sequence, &e.id, &e.kind)
	return feeds
}

// awaitNumbered waits until the servers have moved each event into the feed of
// everything.
func (w *world) awaitNumbered() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), settleTime)
	defer cancel()
	for {
		left := 0
		w.read(`
			SELECT count(*) FROM booking_events
			WHERE NOT EXISTS (SELECT FROM feed_entries WHERE role = 'all' AND event_id = booking_events.id)`, func() {}, &left)
		if left == 0 {
			return
		}
		if !pause.For(ctx, listInterval) {
			w.t.Fatalf("the feed of everything lacks %d events", left)
		}
	}
}

// checkOrder holds the feed of everything against all others: it has each event
// once, its numbers have no gap, and what comes later in a user's feed comes
// later there.
func (w *world) checkOrder() {
	w.t.Helper()
	var entries, events, head int64
	w.read(`SELECT count(*), count(DISTINCT event_id), max(sequence) FROM feed_entries WHERE role = 'all'`,
		func() {}, &entries, &events, &head)
	if entries != events || entries != head {
		w.t.Errorf("the feed of everything has %d entries of %d events up to number %d", entries, events, head)
	}
	turned := 0
	w.read(`
		SELECT count(*)
		FROM (
			SELECT everything.sequence - lag(everything.sequence)
			       OVER (PARTITION BY own.role, own.user_id ORDER BY own.sequence) AS step
			FROM feed_entries AS own
			JOIN feed_entries AS everything ON everything.role = 'all' AND everything.event_id = own.event_id
			WHERE own.role <> 'all'
		) AS steps
		WHERE step <= 0`, func() {}, &turned)
	if turned > 0 {
		w.t.Errorf("the feed of everything contradicts users' feeds %d times", turned)
	}
}
