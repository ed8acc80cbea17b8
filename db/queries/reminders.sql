-- The feeds of bookings' parties, those that nobody else has locked: a batch of
-- reminders waits for none, or all of its feeds would wait with it. As nobody waits,
-- their order does not matter. The parties of a booking never change, so that they
-- may be read in the same statement.
-- name: ReminderLockFeeds :many
SELECT feeds.role, feeds.user_id
FROM feeds
WHERE (feeds.role, feeds.user_id) IN (
    SELECT 'provider', bookings.provider_id
    FROM bookings
    WHERE bookings.id = ANY (@ids::uuid[])
    UNION
    SELECT 'customer', bookings.customer_id
    FROM bookings
    WHERE bookings.id = ANY (@ids::uuid[])
)
FOR NO KEY UPDATE SKIP LOCKED;

-- Bookings of which both feeds are locked, and are therefore seen as they are: for
-- which leads a start was reminded of already, and what time it is, since the queue
-- ran the jobs by this clock. A reminder of the version before tells no lead: it is
-- taken for that of the next one, as there was one alone.
-- name: ReminderRead :many
SELECT
    sqlc.embed(bookings),
    ARRAY(
        SELECT coalesce((data ->> 'leadSeconds')::integer, floor(extract(EPOCH FROM bookings.start_time - bookings.reminder_due_time))::integer)
        FROM booking_events
        WHERE booking_events.booking_id = bookings.id AND booking_events.start_time = bookings.start_time
          AND booking_events.type = 'booking.reminder.due'
    )::integer[] AS sent_leads,
    clock_timestamp()::timestamptz AS time
FROM bookings
WHERE bookings.id = ANY (@ids::uuid[])
  AND bookings.provider_id = ANY (@provider_ids::text[])
  AND bookings.customer_id = ANY (@customer_ids::text[])
ORDER BY bookings.id
FOR UPDATE;

-- The reminders alone: neither version nor update_time move with them.
-- name: ReminderSet :exec
UPDATE bookings
SET reminder_due_time = given.due_time,
    reminder_state = given.state,
    reminder_job_id = given.job_id
FROM (
    SELECT unnest(@ids::uuid[]) AS id, unnest(@due_times::timestamptz[]) AS due_time,
           unnest(@states::text[]) AS state, unnest(@job_ids::bigint[]) AS job_id
) AS given
WHERE bookings.id = given.id;

-- FeedAppend for many events, of which several may be in one feed: number, id of the
-- entry before and ordinal go on from one to the next. The feeds are locked. Where a
-- booking is not there, nothing is written of its event. In each feed they are in the
-- order of the sequence's numbers; their ordinals are these, or, where the sequence
-- is behind, count on from the highest of all the feeds (see FeedAppend).
--
-- No CTE is joined with another: PostgreSQL takes each for ten rows, and would go
-- through one for each row of the other. OFFSET 0 has each booking looked up by its id,
-- and the ids of events are a subquery for the sake of the plan (see BookingInsert).
-- name: FeedAppendMany :many
WITH given AS MATERIALIZED (
    SELECT numbered.*, row_number() OVER (ORDER BY numbered.number) AS rank
    FROM (
        SELECT nextval('booking_events_ordinal_seq') AS number, event.*
        FROM (
            SELECT unnest((SELECT @event_ids::uuid[])) AS id, unnest(@booking_ids::uuid[]) AS booking_id,
                   unnest(@provider_ids::text[]) AS provider_id, unnest(@customer_ids::text[]) AS customer_id,
                   unnest(@types::text[]) AS type, unnest(@times::timestamptz[]) AS time,
                   unnest(@actor_roles::text[]) AS actor_role, unnest(@actor_ids::text[]) AS actor_id,
                   unnest(@start_times::timestamptz[]) AS start_time, unnest(@data::text[]) AS data
        ) AS event
        WHERE EXISTS (SELECT FROM bookings WHERE bookings.id = event.booking_id OFFSET 0)
    ) AS numbered
), place AS MATERIALIZED (
    SELECT feeds.role, feeds.user_id, feeds.head, feeds.newest_id, feeds.newest_ordinal, party.event_id, party.number, party.rank
    FROM (
        SELECT 'provider' AS role, given.provider_id AS user_id, given.id AS event_id, given.number, given.rank
        FROM given
        UNION ALL
        SELECT 'customer', given.customer_id, given.id, given.number, given.rank
        FROM given
    ) AS party
    INNER JOIN feeds ON feeds.role = party.role AND feeds.user_id = party.user_id
), highest AS MATERIALIZED (
    SELECT max(place.newest_ordinal) AS ordinal
    FROM place
), event AS MATERIALIZED (
    SELECT given.*, greatest(given.number, (SELECT highest.ordinal FROM highest) + given.rank) AS ordinal
    FROM given
), entry AS MATERIALIZED (
    SELECT place.role, place.user_id, place.event_id,
           place.head + row_number() OVER in_order AS sequence,
           coalesce(lag(place.event_id) OVER in_order, place.newest_id) AS previous_id,
           greatest(place.number, (SELECT highest.ordinal FROM highest) + place.rank) AS ordinal
    FROM place
    WINDOW in_order AS (PARTITION BY place.role, place.user_id ORDER BY place.number)
), written AS (
    INSERT INTO booking_events (id, ordinal, booking_id, type, time, actor_role, actor_id, start_time, data)
    OVERRIDING SYSTEM VALUE
    SELECT event.id, event.ordinal, event.booking_id, event.type, event.time,
           event.actor_role, event.actor_id, event.start_time, event.data::jsonb
    FROM event
), advanced AS (
    UPDATE feeds
    SET head = latest.sequence, previous_id = latest.previous_id, newest_id = latest.event_id, newest_ordinal = latest.ordinal
    FROM (
        SELECT DISTINCT ON (entry.role, entry.user_id)
            entry.role, entry.user_id, entry.sequence, entry.previous_id, entry.event_id, entry.ordinal
        FROM entry
        ORDER BY entry.role, entry.user_id, entry.sequence DESC
    ) AS latest
    WHERE feeds.role = latest.role AND feeds.user_id = latest.user_id
), pending AS (
    INSERT INTO event_outbox (ordinal, event_id)
    SELECT event.ordinal, event.id
    FROM event
)
INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
SELECT entry.role, entry.user_id, entry.sequence, entry.event_id, entry.previous_id
FROM entry
RETURNING feed_entries.role, feed_entries.user_id, feed_entries.sequence, feed_entries.event_id,
          coalesce(feed_entries.previous_id::text, '')::text AS previous_id;
