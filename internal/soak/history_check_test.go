package soak

import (
	"context"
	"fmt"
	"slices"
	"time"

	"bookings/internal/pause"
)

// bookedTwice begins what the check says of a provider who is.
const bookedTwice = "booked twice: "

// invariants are queries that find what must not be. Each row is a fault, told by
// one text.
var invariants = []struct{ fault, query string }{
	{bookedTwice, `
		SELECT format('%s by %s and %s', a.provider_id, a.id, b.id)
		FROM bookings a JOIN bookings b ON a.provider_id = b.provider_id AND a.id < b.id
		WHERE a.status IN ('PENDING', 'CONFIRMED') AND b.status IN ('PENDING', 'CONFIRMED')
		  AND a.start_time < b.end_time AND b.start_time < a.end_time`},
	{"a key of several bookings: ", `
		SELECT format('%s: %s', idempotency_key, count(*)) FROM bookings
		WHERE idempotency_key IS NOT NULL GROUP BY provider_id, idempotency_key HAVING count(*) > 1`},
	{"a booking without its reminder's job, or a job without its booking: ", `
		SELECT format('booking %s, job %s', live.id, job.id)
		FROM (
			SELECT id, reminder_job_id FROM bookings
			WHERE status IN ('PENDING', 'CONFIRMED') AND start_time > now() + interval '1 hour'
		) live
		FULL JOIN (
			SELECT id FROM river_job WHERE kind = 'reminder' AND state IN ('available', 'scheduled', 'retryable', 'pending', 'running')
		) job ON job.id = live.reminder_job_id
		WHERE live.id IS NULL OR job.id IS NULL`},
	{"a reminder that is due and did not come once: ", `
		SELECT format('%s: %s reminders of %s', b.id, count(e.id), b.start_time)
		FROM bookings b LEFT JOIN booking_events e
		  ON e.booking_id = b.id AND e.type = 'booking.reminder.due' AND e.start_time = b.start_time
		WHERE b.status IN ('PENDING', 'CONFIRMED') AND b.start_time < now() + interval '10 minutes'
		GROUP BY b.id HAVING count(e.id) <> 1`},
	{"a reminder after a cancel: ", `
		SELECT format('%s', e.booking_id) FROM booking_events e JOIN booking_events c ON c.booking_id = e.booking_id
		WHERE e.type = 'booking.reminder.due' AND c.type = 'booking.cancelled' AND e.ordinal > c.ordinal`},
	{"a job of several bookings: ", `
		SELECT format('job %s', reminder_job_id) FROM bookings WHERE status IN ('PENDING', 'CONFIRMED')
		GROUP BY reminder_job_id HAVING count(*) > 1 AND reminder_job_id IS NOT NULL`},
	{"a history with a gap: ", `
		SELECT format('%s: version %s, events of %s', b.id, b.version, e.versions)
		FROM bookings b CROSS JOIN LATERAL (
			SELECT array_agg((data->>'version')::bigint ORDER BY ordinal) AS versions
			FROM booking_events WHERE booking_id = b.id AND type <> 'booking.reminder.due'
		) e
		WHERE e.versions IS DISTINCT FROM (SELECT array_agg(n) FROM generate_series(1, b.version) n)`},
	{"a gap in a feed: ", `
		SELECT format('%s %s: %s entries, the last %s, the head %s', f.role, f.user_id, count(e.sequence), max(e.sequence), f.head)
		FROM feeds f LEFT JOIN feed_entries e ON e.role = f.role AND e.user_id = f.user_id
		GROUP BY f.role, f.user_id, f.head
		HAVING count(e.sequence) <> f.head OR coalesce(max(e.sequence), 0) <> f.head`},
	{"an entry that does not name the one before: ", `
		SELECT format('%s %s %s', e.role, e.user_id, e.sequence)
		FROM feed_entries e LEFT JOIN feed_entries before
		  ON before.role = e.role AND before.user_id = e.user_id AND before.sequence = e.sequence - 1
		WHERE e.previous_id IS DISTINCT FROM before.event_id`},
	{"an event that is not once in each of its feeds: ", `
		SELECT format('%s: %s', e.id, array_agg(f.role || ' ' || f.user_id))
		FROM booking_events e JOIN bookings b ON b.id = e.booking_id LEFT JOIN feed_entries f ON f.event_id = e.id
		GROUP BY e.id, b.id
		HAVING array_agg(f.role || ' ' || f.user_id ORDER BY f.role) IS DISTINCT FROM
		       ARRAY['all ', 'customer ' || b.customer_id, 'provider ' || b.provider_id]`},
	{"an entry of no event: ", `
		SELECT format('%s %s %s', role, user_id, sequence) FROM feed_entries WHERE event_id NOT IN (SELECT id FROM booking_events)`},
	{"the feed of everything disagrees with a user's: ", `
		SELECT format('%s %s %s', role, user_id, sequence)
		FROM (
			SELECT f.role, f.user_id, f.sequence, a.sequence AS number,
			       lag(a.sequence) OVER (PARTITION BY f.role, f.user_id ORDER BY f.sequence) AS before
			FROM feed_entries f JOIN feed_entries a ON a.event_id = f.event_id AND a.role = 'all'
			WHERE f.role <> 'all'
		) pairs
		WHERE number <= before`},
}

// check says what is wrong with PostgreSQL, or with what callers were told.
func (h *history) check() (faults []string) {
	h.world.t.Helper()
	h.await(`SELECT count(*) FROM event_outbox`, "the feed of everything does not get its events")
	h.await(`
		SELECT count(*) FROM river_job WHERE kind = 'reminder'
		  AND (state IN ('available', 'running', 'retryable') OR state = 'scheduled' AND scheduled_at <= now())`, "reminders that are due do not come")
	faults = slices.Clone(h.wrong)
	for _, invariant := range invariants {
		var found string
		h.world.read(invariant.query, func() { faults = append(faults, invariant.fault+found) }, &found)
	}
	faults = append(faults, h.checkAcknowledged()...)
	faults = append(faults, h.checkKeys()...)
	return append(faults, h.checkRefusals()...)
}

// await waits until nothing is left of what comes after the commits: entries of the
// feed of everything, and reminders, which a worker that was killed leaves to the
// next for a minute and a half.
func (h *history) await(left, fault string) {
	h.world.t.Helper()
	ctx, cancel := context.WithTimeout(h.world.t.Context(), 3*settleTime)
	defer cancel()
	for waiting := 1; waiting > 0; {
		h.world.read(left, func() {}, &waiting)
		if waiting > 0 && !pause.For(ctx, 50*time.Millisecond) {
			h.world.t.Error(fault)
			return
		}
	}
}

// checkAcknowledged compares what was answered with what is stored: the last
// answer with the booking, and each with the event of its version. Every caller
// has asked until there was an answer, so the newest version was told to somebody.
func (h *history) checkAcknowledged() (faults []string) {
	var id string
	var version int64
	var stored state
	told := map[string]bool{}
	h.world.read(`SELECT id::text, version, 'BOOKING_STATUS_' || status, start_time, end_time, note FROM bookings`, func() {
		stored.start, stored.end = stored.start.UTC(), stored.end.UTC()
		answered, ok := h.booked[id][version]
		told[id] = true
		if !ok || answered != stored {
			faults = append(faults, fmt.Sprintf("version %d of %s is %v, and was answered as %v", version, id, stored, answered))
		}
	}, &id, &version, &stored.status, &stored.start, &stored.end, &stored.note)
	for id := range h.booked {
		if !told[id] {
			faults = append(faults, "acknowledged and lost: "+id)
		}
	}
	return append(faults, h.checkVersions()...)
}

// checkVersions finds answers that no event tells of.
func (h *history) checkVersions() (faults []string) {
	type versionOf struct {
		id      string
		version int64
	}
	var of versionOf
	var stored state
	happened := map[versionOf]state{}
	h.world.read(`
		SELECT booking_id::text, (data->>'version')::bigint, data->>'status', (data->>'startTime')::timestamptz, (data->>'endTime')::timestamptz
		FROM booking_events WHERE type <> 'booking.reminder.due'`, func() {
		happened[of] = state{status: stored.status, start: stored.start.UTC(), end: stored.end.UTC()}
	}, &of.id, &of.version, &stored.status, &stored.start, &stored.end)
	for id, versions := range h.booked {
		for version, answered := range versions {
			answered.note = "" // events do not tell it
			if event := happened[versionOf{id, version}]; event != answered {
				faults = append(faults, fmt.Sprintf("version %d of %s was answered as %v, and happened as %v", version, id, answered, event))
			}
		}
	}
	return faults
}

// checkKeys finds keys whose tries were answered differently, or with a booking
// that the key did not make.
func (h *history) checkKeys() (faults []string) {
	made := map[string]string{}
	var key, id string
	h.world.read(`SELECT idempotency_key, id::text FROM bookings WHERE idempotency_key IS NOT NULL`,
		func() { made[key] = id }, &key, &id)
	for key, answered := range h.keyed {
		if slices.ContainsFunc(answered, func(id string) bool { return id != made[key] }) {
			faults = append(faults, fmt.Sprintf("the key %s was answered with %q, and made %q", key, answered, made[key]))
		}
		if len(answered) == 0 && made[key] != "" {
			faults = append(faults, fmt.Sprintf("the key %s was refused, and made %s", key, made[key]))
		}
	}
	return faults
}

// checkRefusals finds what calls have left that were refused.
func (h *history) checkRefusals() (faults []string) {
	starts, notes := map[time.Time]string{}, map[string]string{}
	var id, note string
	var start time.Time
	h.world.read(`SELECT booking_id::text, start_time FROM booking_events`, func() { starts[start.UTC()] = id }, &id, &start)
	h.world.read(`SELECT id::text, note FROM bookings`, func() { notes[note] = id }, &id, &note)
	for _, refused := range h.refusals {
		if id := starts[refused.start]; id != "" && !refused.start.IsZero() {
			faults = append(faults, fmt.Sprintf("refused, and there: a start at %v of %s", refused.start, id))
		}
		if id := notes[refused.note]; id != "" && refused.note != "" {
			faults = append(faults, fmt.Sprintf("refused, and there: the note %q of %s", refused.note, id))
		}
	}
	return faults
}
