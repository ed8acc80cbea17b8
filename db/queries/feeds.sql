-- Locks both feeds, the provider's first, then the customer's, and makes them
-- where they are missing. The rows of a VALUES list are inserted in its order,
-- which an UPDATE … = ANY would not promise. The numbers do not move.
-- name: FeedLock :exec
INSERT INTO feeds (role, user_id)
VALUES ('provider', @provider_id), ('customer', @customer_id)
ON CONFLICT (role, user_id) DO UPDATE SET head = feeds.head;

-- The event, the next number of both feeds, and the two entries, in one
-- statement: a call that fails or changes nothing leaves no gap. Without its
-- booking (an INSERT that was refused, earlier in the same batch) it writes
-- nothing. Both feeds are locked already, so the order of the UPDATE does not
-- matter.
--
-- An event's ordinal comes of the sequence and follows the newest of its
-- booking's, under whose lock we are. The sequence alone would do until it is
-- behind its table, as after a switch-over by logical replication: histories
-- would then be read in a wrong order.
-- name: FeedAppend :many
WITH event AS (
    INSERT INTO booking_events (id, ordinal, booking_id, type, time, actor_role, actor_id, start_time, data)
    OVERRIDING SYSTEM VALUE
    SELECT @event_id, greatest(nextval('booking_events_ordinal_seq'), (
        SELECT max(earlier.ordinal) + 1
        FROM booking_events AS earlier
        WHERE earlier.booking_id = bookings.id
    )), bookings.id, @type, @time, @actor_role, @actor_id, @start_time, @data
    FROM bookings
    WHERE bookings.id = @booking_id
    RETURNING booking_events.id
), advanced AS (
    UPDATE feeds
    SET head = head + 1
    FROM event
    WHERE (feeds.role = 'provider' AND feeds.user_id = @provider_id)
       OR (feeds.role = 'customer' AND feeds.user_id = @customer_id)
    RETURNING feeds.role, feeds.user_id, feeds.head, event.id AS event_id
)
INSERT INTO feed_entries (role, user_id, sequence, event_id)
SELECT advanced.role, advanced.user_id, advanced.head, advanced.event_id
FROM advanced
RETURNING feed_entries.role, feed_entries.user_id, feed_entries.sequence;

-- name: FeedHead :one
SELECT head, pruned_through
FROM feeds
WHERE role = @role AND user_id = @user_id;

-- The heads of many feeds at once, to find what a lost message left out.
-- name: FeedHeads :many
SELECT role, user_id, head
FROM feeds
WHERE (role, user_id) IN (SELECT unnest(@roles::text[]), unnest(@user_ids::text[]));

-- name: FeedRead :many
SELECT feed_entries.sequence, booking_events.id, booking_events.booking_id, booking_events.type,
       booking_events.time, booking_events.data
FROM feed_entries
JOIN booking_events ON booking_events.id = feed_entries.event_id
WHERE feed_entries.role = @role AND feed_entries.user_id = @user_id AND feed_entries.sequence > @after
ORDER BY feed_entries.sequence
LIMIT @page_size;

-- For which leads a start was reminded of already, and what time it is: the queue
-- ran the job by this clock. A reminder of the version before tells no lead: it is
-- taken for that of the lead which is asked about, as there was one.
-- name: ReminderLook :one
SELECT
    ARRAY(
        SELECT coalesce((data ->> 'leadSeconds')::integer, @lead::integer)
        FROM booking_events
        WHERE booking_id = @booking_id AND start_time = @start_time AND type = 'booking.reminder.due'
    )::integer[] AS sent_leads,
    clock_timestamp()::timestamptz AS time;

-- name: BookingHistory :many
SELECT *
FROM booking_events
WHERE booking_id = @booking_id AND ordinal > @after
ORDER BY ordinal
LIMIT @page_size;

-- Removes from the feeds that have been let alone for longest a prefix each: the
-- entries up to the first that is young enough, at most 50. Not all old ones: an
-- entry can carry an earlier time than its predecessor, and removing it would
-- tear a hole. The limits are constants, so that PostgreSQL plans for few rows.
--
-- A feed that somebody is writing to is left for the next time: to wait for many
-- locks while others wait for ours would be a deadlock.
-- name: FeedsPrune :one
WITH due AS (
    SELECT feeds.role, feeds.user_id, feeds.pruned_through
    FROM feeds
    WHERE feeds.oldest_time < @before
    ORDER BY feeds.oldest_time
    LIMIT 100
    FOR NO KEY UPDATE SKIP LOCKED
), aged AS (
    SELECT due.role, due.user_id, entry.sequence, entry.time,
           bool_and(entry.time < @before) OVER (PARTITION BY due.role, due.user_id ORDER BY entry.sequence) AS old
    FROM due
    CROSS JOIN LATERAL (
        SELECT feed_entries.sequence, booking_events.time
        FROM feed_entries
        JOIN booking_events ON booking_events.id = feed_entries.event_id
        WHERE feed_entries.role = due.role AND feed_entries.user_id = due.user_id
          AND feed_entries.sequence > due.pruned_through
        ORDER BY feed_entries.sequence
        LIMIT 50
    ) AS entry
), removed AS (
    DELETE FROM feed_entries
    USING aged
    WHERE aged.old AND feed_entries.role = aged.role AND feed_entries.user_id = aged.user_id
      AND feed_entries.sequence = aged.sequence
    RETURNING feed_entries.sequence
), seen AS MATERIALIZED (
    SELECT role, user_id, count(*) AS entries, max(sequence) FILTER (WHERE old) AS through,
           (array_agg(time ORDER BY sequence) FILTER (WHERE NOT old))[1] AS first_kept
    FROM aged
    GROUP BY role, user_id
), recorded AS (
    UPDATE feeds
    SET pruned_through = coalesce(seen.through, feeds.pruned_through),
        oldest_time = CASE
            WHEN seen.first_kept IS NOT NULL THEN seen.first_kept
            WHEN seen.entries = 50 THEN feeds.oldest_time -- there may be more
            ELSE greatest(now(), @before) -- it is empty: what comes, comes now
        END
    FROM due
    LEFT JOIN seen ON seen.role = due.role AND seen.user_id = due.user_id
    WHERE feeds.role = due.role AND feeds.user_id = due.user_id
)
SELECT (SELECT count(*) FROM due) AS feeds, (SELECT count(*) FROM removed) AS entries;
