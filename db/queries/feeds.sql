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
-- An event's ordinal follows the newest of its booking's, under whose lock we
-- are. A sequence would do until it is behind its table, as after a switch-over
-- by logical replication: histories would then be read in a wrong order.
-- name: FeedAppend :many
WITH event AS (
    INSERT INTO booking_events (id, ordinal, booking_id, type, time, actor_role, actor_id, start_time, data)
    OVERRIDING SYSTEM VALUE
    SELECT @event_id, (
        SELECT coalesce(max(earlier.ordinal), 0) + 1
        FROM booking_events AS earlier
        WHERE earlier.booking_id = bookings.id
    ), bookings.id, @type, @time, @actor_role, @actor_id, @start_time, @data
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

-- name: ReminderExists :one
SELECT EXISTS (
    SELECT 1
    FROM booking_events
    WHERE booking_id = @booking_id AND start_time = @start_time AND type = 'booking.reminder.due'
);

-- name: BookingHistory :many
SELECT *
FROM booking_events
WHERE booking_id = @booking_id AND ordinal > @after
ORDER BY ordinal
LIMIT @page_size;

-- Feeds whose oldest entry is older than the retention.
-- name: FeedsToPrune :many
SELECT feeds.role, feeds.user_id
FROM feeds
JOIN feed_entries ON feed_entries.role = feeds.role
    AND feed_entries.user_id = feeds.user_id
    AND feed_entries.sequence = feeds.pruned_through + 1
JOIN booking_events ON booking_events.id = feed_entries.event_id
WHERE booking_events.time < @before
LIMIT @page_size;

-- Removes a prefix: entries up to the first that is young enough, at most a
-- page of them. Not all old ones: an entry can carry an earlier time than its
-- predecessor, and removing it would tear a hole.
-- name: FeedPrune :execrows
WITH page AS (
    SELECT feed_entries.sequence, booking_events.time
    FROM feed_entries
    JOIN booking_events ON booking_events.id = feed_entries.event_id
    WHERE feed_entries.role = @role AND feed_entries.user_id = @user_id
    ORDER BY feed_entries.sequence
    LIMIT @page_size
), aged AS (
    SELECT sequence, bool_and(time < @before) OVER (ORDER BY sequence) AS old
    FROM page
), prefix AS (
    SELECT max(sequence) AS through
    FROM aged
    WHERE old
), recorded AS (
    UPDATE feeds
    SET pruned_through = greatest(feeds.pruned_through, prefix.through)
    FROM prefix
    WHERE feeds.role = @role AND feeds.user_id = @user_id AND prefix.through IS NOT NULL
)
DELETE FROM feed_entries
USING prefix
WHERE feed_entries.role = @role AND feed_entries.user_id = @user_id AND feed_entries.sequence <= prefix.through;
