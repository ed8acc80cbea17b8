//go:build linux

package load

import "flag"

// bookingsBefore is how large the installation is that creates and reads are measured on.
var bookingsBefore = flag.Int("load.bookings", 0, "how many bookings there are before a benchmark begins")

// liveBefore: one in so many lies ahead, with the job of its reminder.
const liveBefore = 10

// growUp fills the database as years of use would: bookings of 5,000 providers and
// 20,000 customers, each with its event, and an entry of it in three feeds. Ten million
// take some ten minutes, since what is built of rows is built afterwards, at once.
func (w *world) growUp() {
	w.b.Helper()
	if *bookingsBefore == 0 {
		return
	}
	for _, setting := range []string{"fsync = off", "max_wal_size = '16GB'", "checkpoint_timeout = '1h'", "maintenance_work_mem = '1GB'", "work_mem = '256MB'"} {
		w.exec("ALTER SYSTEM SET " + setting)
	}
	w.exec("SELECT pg_reload_conf()")
	w.exec(keepConstraints)
	w.exec(keepIndexes)
	w.exec(dropBuilt)
	w.fill()
	w.exec(buildAgain)
	w.exec("DROP TABLE built")
	w.exec("VACUUM ANALYZE")
	w.exec("ALTER SYSTEM RESET ALL")
	w.exec("SELECT pg_reload_conf()")
	w.exec("CHECKPOINT")
}

const (
	// keepConstraints and keepIndexes keep how those of the large tables are made, by their
	// kinds: keys (p, u), what excludes (x), what is only checked (z); indexes (i).
	keepConstraints = `
		CREATE TABLE built AS
		SELECT conrelid::regclass::text AS on_table, conname::text AS name, translate(contype::text, 'cf', 'zz') AS kind,
			format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
				|| CASE WHEN contype IN ('c', 'f') THEN ' NOT VALID' ELSE '' END AS making
		FROM pg_constraint
		WHERE conrelid::regclass::text IN ('bookings', 'booking_events', 'feed_entries', 'river_job') AND contype IN ('c', 'p', 'u', 'x', 'f')`
	keepIndexes = `
		INSERT INTO built
		SELECT tablename, indexname, 'i', indexdef
		FROM pg_indexes
		WHERE tablename IN (SELECT on_table FROM built) AND indexname NOT IN (SELECT name FROM built)`
	dropBuilt = `
		DO $$ DECLARE each record; BEGIN
			FOR each IN SELECT on_table, name, kind FROM built ORDER BY kind = 'z' DESC LOOP
				EXECUTE CASE each.kind WHEN 'i' THEN format('DROP INDEX %I', each.name)
					ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', each.on_table, each.name) END;
			END LOOP;
		END $$`
	buildAgain = `
		DO $$ DECLARE each record; BEGIN
			FOR each IN SELECT making FROM built ORDER BY array_position('{p,u,i,x,z}'::text[], kind) LOOP
				EXECUTE each.making;
			END LOOP;
		END $$`
)

// fill writes the rows.
func (w *world) fill() {
	w.b.Helper()
	for _, statement := range []string{
		`
		INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
			reminder_leads, reminder_due_time, reminder_state, reminder_job_id, create_time, update_time)
		SELECT md5(i::text)::uuid, 'old-provider-' || i % 5000, 'old-customer-' || i % 20000, start, start + interval '1 hour',
			CASE WHEN i % $2 = 0 THEN 'CONFIRMED' ELSE 'COMPLETED' END, 'a haircut', 1, 0,
			'{600}', start - interval '10 minutes', CASE WHEN i % $2 = 0 THEN 'SCHEDULED' ELSE 'SENT' END, i, start, start
		FROM (SELECT i, CASE WHEN i % $2 = 0 THEN '2027-06-01Z' ELSE '2000-01-01Z' END::timestamptz + i / 5000 * interval '1 hour' AS start
			FROM generate_series(1, $1) AS i) AS slots`, `
		INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
		SELECT md5('event' || i)::uuid, md5(i::text)::uuid, 'booking.created', now(), 'internal', '', now(),
			jsonb_build_object('bookingId', md5(i::text)::uuid, 'version', 1)
		FROM generate_series(1, $1) AS i WHERE $2 > 0`, `
		INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
		SELECT role, user_id, number, md5('event' || i)::uuid, CASE WHEN number > 1 THEN md5('event' || i - step)::uuid END
		FROM generate_series(1, $1) AS i,
			LATERAL (VALUES ('provider', 'old-provider-' || i % 5000, 5000), ('customer', 'old-customer-' || i % 20000, 20000),
				('all', '', 1)) AS feed(role, user_id, step),
			LATERAL (SELECT (i - 1) / step + 1 AS number) AS numbered
		WHERE $2 > 0`, `
		INSERT INTO feeds (role, user_id, head, newest_id, newest_ordinal)
		SELECT DISTINCT ON (role, user_id) role, user_id, sequence, event_id, $1
		FROM feed_entries WHERE $2 > 0 ORDER BY role, user_id, sequence DESC
		ON CONFLICT (role, user_id) DO UPDATE SET head = excluded.head, newest_id = excluded.newest_id, newest_ordinal = $1`, `
		INSERT INTO river_job (id, args, kind, max_attempts, queue, state, scheduled_at)
		SELECT i, jsonb_build_object('bookingId', md5(i::text)::uuid), 'reminder', 25, 'reminders', 'scheduled', '2027-06-01Z'
		FROM generate_series(1, $1) AS i WHERE i % $2 = 0`,
	} {
		w.exec(statement, *bookingsBefore, liveBefore)
	}
	w.exec("SELECT setval('river_job_id_seq', $1 + 1)", *bookingsBefore)
	w.exec("SELECT setval('booking_events_ordinal_seq', $1 + 1)", *bookingsBefore)
}
