-- Locks both feeds of a booking that is there, the provider's first, then the
-- customer's: rows are locked in the order in which they are sorted.
-- name: FeedLock :exec
SELECT feeds.role
FROM feeds
WHERE (role = 'provider' AND user_id = @provider_id) OR (role = 'customer' AND user_id = @customer_id)
ORDER BY role DESC
FOR NO KEY UPDATE;

-- Locks a provider's feed, and makes it where it is missing. A lock alone costs
-- less than an UPDATE that changes nothing; only an INSERT can wait for somebody
-- who is about to make the feed, too.
-- name: FeedLockProvider :exec
WITH locked AS (
    SELECT feeds.role
    FROM feeds
    WHERE feeds.role = 'provider' AND feeds.user_id = @provider_id
    FOR NO KEY UPDATE
)
INSERT INTO feeds (role, user_id)
SELECT 'provider', @provider_id
WHERE NOT EXISTS (SELECT 1 FROM locked)
ON CONFLICT (role, user_id) DO UPDATE SET head = feeds.head;

-- Locks those of some providers' and customers' feeds that are there and that nobody else
-- has locked. As it waits for nobody, their order does not matter. Why the users are
-- subqueries: see BookingInsert.
-- name: FeedLockFree :many
SELECT feeds.role, feeds.user_id
FROM feeds
WHERE (feeds.role = 'provider' AND feeds.user_id = ANY ((SELECT @provider_ids::text[])::text[]))
   OR (feeds.role = 'customer' AND feeds.user_id = ANY ((SELECT @customer_ids::text[])::text[]))
FOR NO KEY UPDATE SKIP LOCKED;

-- The event, the next number of both feeds, the two entries, and its place in the
-- outbox of the feed of everything, in one statement: a call that fails or changes
-- nothing leaves no gap. The booking has to be in the version that the event
-- reports: without it (a write that was refused, earlier in the same batch) nothing
-- is written. The provider's feed is locked already; the customer's is locked
-- here, where it is not, and made where it is missing.
--
-- An event's ordinal comes of the sequence, and is higher than that of the newest
-- entry in both feeds: events that share a feed are ordered by their ordinals as
-- they are there. The sequence alone would do until it is behind its table, as
-- after a switch-over by logical replication: histories would then be read in a
-- wrong order.
-- name: FeedAppend :many
WITH customer AS (
    INSERT INTO feeds (role, user_id, head, newest_id, newest_ordinal)
    SELECT 'customer', @customer_id, 1, @event_id,
           greatest(nextval('booking_events_ordinal_seq'), provider_before.newest_ordinal + 1)
    FROM bookings
    JOIN feeds AS provider_before ON provider_before.role = 'provider' AND provider_before.user_id = @provider_id
    WHERE bookings.id = @booking_id AND bookings.version = @version
    ON CONFLICT (role, user_id) DO UPDATE
    SET head = feeds.head + 1,
        previous_id = feeds.newest_id,
        newest_id = excluded.newest_id,
        newest_ordinal = greatest(excluded.newest_ordinal, feeds.newest_ordinal + 1)
    RETURNING feeds.role, feeds.user_id, feeds.head, feeds.previous_id, feeds.newest_ordinal AS ordinal
), provider AS (
    UPDATE feeds
    SET head = feeds.head + 1,
        previous_id = feeds.newest_id,
        newest_id = @event_id,
        newest_ordinal = customer.ordinal
    FROM customer
    WHERE feeds.role = 'provider' AND feeds.user_id = @provider_id
    RETURNING feeds.role, feeds.user_id, feeds.head, feeds.previous_id
), event AS (
    INSERT INTO booking_events (id, ordinal, booking_id, type, time, actor_role, actor_id, start_time, data)
    OVERRIDING SYSTEM VALUE
    SELECT @event_id, customer.ordinal, @booking_id, @type, @time, @actor_role, @actor_id, @start_time, @data
    FROM customer
), pending AS (
    INSERT INTO event_outbox (ordinal, event_id)
    SELECT customer.ordinal, @event_id::uuid
    FROM customer
)
INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
SELECT provider.role, provider.user_id, provider.head, @event_id AS event_id, provider.previous_id
FROM provider
UNION ALL
SELECT customer.role, customer.user_id, customer.head, @event_id, customer.previous_id
FROM customer
RETURNING feed_entries.role, feed_entries.user_id, feed_entries.sequence,
          coalesce(feed_entries.previous_id::text, '')::text AS previous_id;

-- Moves what is in the outbox into the feed of everything, in the order of the
-- ordinals. The row of that feed is the lock, as of every feed: who waits for it
-- goes on with its newest state, and does not meet again what has been taken
-- meanwhile. Where the outbox is empty nothing is locked.
--
-- Why the order agrees with every user's feed: an event that comes after another
-- in some feed has the higher ordinal, and is visible only where that other is, in
-- any snapshot, since its transaction had to wait for the other's. So what is
-- visible is complete up to each of its events, however old the snapshot is; and
-- what becomes visible later, perhaps with a lower ordinal, precedes none of
-- these in any feed.
--
-- OFFSET 0 has each event looked up by its id. The outbox is nearly always empty
-- and never analyzed: PostgreSQL takes it for hundreds of rows, and would read all
-- events, a hundred thousand of them, in each step.
-- name: FeedSequence :many
WITH newest AS (
    SELECT feeds.head, feeds.newest_id
    FROM feeds
    WHERE feeds.role = 'all' AND feeds.user_id = '' AND EXISTS (SELECT 1 FROM event_outbox)
    FOR UPDATE
), taken AS (
    DELETE FROM event_outbox
    WHERE EXISTS (SELECT 1 FROM newest) AND (event_outbox.ordinal, event_outbox.event_id) IN (
        SELECT oldest.ordinal, oldest.event_id
        FROM event_outbox AS oldest
        ORDER BY oldest.ordinal, oldest.event_id
        LIMIT @batch_size
    )
    RETURNING event_outbox.ordinal, event_outbox.event_id
), numbered AS (
    SELECT taken.event_id, taken.ordinal,
           newest.head + row_number() OVER in_order AS sequence,
           coalesce(lag(taken.event_id) OVER in_order, newest.newest_id) AS previous_id
    FROM taken
    CROSS JOIN newest
    WINDOW in_order AS (ORDER BY taken.ordinal, taken.event_id)
), advanced AS (
    UPDATE feeds
    SET head = latest.sequence, newest_id = latest.event_id, newest_ordinal = latest.ordinal
    FROM (
        SELECT numbered.sequence, numbered.event_id, numbered.ordinal
        FROM numbered
        ORDER BY numbered.sequence DESC
        LIMIT 1
    ) AS latest
    WHERE feeds.role = 'all' AND feeds.user_id = ''
), written AS (
    INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
    SELECT 'all', '', numbered.sequence, numbered.event_id, numbered.previous_id
    FROM numbered
)
SELECT numbered.sequence::bigint AS sequence, coalesce(numbered.previous_id::text, '')::text AS previous_id,
       event.id, event.booking_id, event.type, event.time, event.data
FROM numbered
CROSS JOIN LATERAL (
    SELECT booking_events.id, booking_events.booking_id, booking_events.type, booking_events.time, booking_events.data
    FROM booking_events
    WHERE booking_events.id = numbered.event_id
    OFFSET 0
) AS event
ORDER BY numbered.sequence;

-- A feed's ends, and the entry that has a number; without one, the one before
-- the oldest that is kept. Its id is taken from the entry after it: it may be
-- pruned itself. Where the number is ahead of the head, the head is it.
-- name: FeedBounds :one
WITH ends AS (
    SELECT feeds.head, feeds.newest_id, feeds.pruned_through,
           least(coalesce(sqlc.narg(number)::bigint, feeds.pruned_through), feeds.head)::bigint AS asked
    FROM feeds
    WHERE feeds.role = @role AND feeds.user_id = @user_id
)
SELECT ends.head, coalesce(ends.newest_id::text, '')::text AS newest_id, ends.pruned_through, ends.asked,
       coalesce((
           SELECT feed_entries.previous_id::text
           FROM feed_entries
           WHERE feed_entries.role = @role AND feed_entries.user_id = @user_id
             AND feed_entries.sequence = ends.asked + 1
       ), CASE WHEN ends.head = ends.asked THEN ends.newest_id::text END, '')::text AS asked_id
FROM ends;

-- The heads of many feeds at once, to find what a lost message left out.
-- name: FeedHeads :many
SELECT role, user_id, head, coalesce(newest_id::text, '')::text AS newest_id
FROM feeds
WHERE (role, user_id) IN (SELECT unnest(@roles::text[]), unnest(@user_ids::text[]));

-- name: FeedRead :many
SELECT feed_entries.sequence, coalesce(feed_entries.previous_id::text, '')::text AS previous_id,
       booking_events.id, booking_events.booking_id, booking_events.type,
       booking_events.time, booking_events.data
FROM feed_entries
JOIN booking_events ON booking_events.id = feed_entries.event_id
WHERE feed_entries.role = @role AND feed_entries.user_id = @user_id AND feed_entries.sequence > @after
ORDER BY feed_entries.sequence
LIMIT @page_size;

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

-- How many events wait for the feed of everything, counted up to a bound, and for
-- how long the oldest has: what a scrape asks, so it must stay cheap.
-- name: FeedLag :one
SELECT (
    SELECT count(*) FROM (SELECT FROM event_outbox LIMIT 10000) AS counted
) AS events,
coalesce((
    SELECT extract(EPOCH FROM clock_timestamp() - booking_events.time)
    FROM (
        SELECT event_outbox.event_id
        FROM event_outbox
        ORDER BY event_outbox.ordinal, event_outbox.event_id
        LIMIT 1
    ) AS oldest
    INNER JOIN booking_events ON oldest.event_id = booking_events.id
), 0)::double precision AS age_seconds;
