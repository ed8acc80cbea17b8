-- Locks both feeds, the provider's first, then the customer's, and makes them
-- where they are missing. The rows of a VALUES list are inserted in its order,
-- which an UPDATE … = ANY would not promise. The numbers do not move.
-- name: FeedLock :exec
INSERT INTO feeds (role, user_id)
VALUES ('provider', @provider_id), ('customer', @customer_id)
ON CONFLICT (role, user_id) DO UPDATE SET head = feeds.head;

-- The event, the next number of both feeds, and the two entries, in one
-- statement: a call that fails or changes nothing leaves no gap. Both feeds are
-- locked already, so the order of the UPDATE does not matter.
-- name: FeedAppend :many
WITH event AS (
    INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
    VALUES (@event_id, @booking_id, @type, @time, @actor_role, @actor_id, @start_time, @data)
), advanced AS (
    UPDATE feeds
    SET head = head + 1
    WHERE (feeds.role = 'provider' AND feeds.user_id = @provider_id)
       OR (feeds.role = 'customer' AND feeds.user_id = @customer_id)
    RETURNING feeds.role, feeds.user_id, feeds.head
)
INSERT INTO feed_entries (role, user_id, sequence, event_id)
SELECT advanced.role, advanced.user_id, advanced.head, @event_id
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
SELECT ordinal::bigint AS ordinal, id, type, time, actor_role, actor_id, data
FROM booking_events
WHERE booking_id = @booking_id AND ordinal > @after::bigint
ORDER BY ordinal
LIMIT @page_size;
