-- What many readers ask at once who begin a subscription: FeedBounds of each. A
-- number below 0 is none. A feed that nothing was written to has no row.
-- name: FeedsBounds :many
SELECT wanted.place::integer AS place, feeds.head, coalesce(feeds.newest_id::text, '')::text AS newest_id, feeds.pruned_through,
       ends.asked::bigint AS asked,
       coalesce((
           SELECT feed_entries.previous_id::text
           FROM feed_entries
           WHERE feed_entries.role = feeds.role AND feed_entries.user_id = feeds.user_id
             AND feed_entries.sequence = ends.asked + 1
       ), CASE WHEN feeds.head = ends.asked THEN feeds.newest_id::text END, '')::text AS asked_id
FROM (
    SELECT generate_subscripts(@roles::text[], 1) AS place, unnest(@roles::text[]) AS role,
           unnest(@user_ids::text[]) AS user_id, unnest(@numbers::bigint[]) AS number
) AS wanted
JOIN feeds ON feeds.role = wanted.role AND feeds.user_id = wanted.user_id
CROSS JOIN LATERAL (
    SELECT least(CASE WHEN wanted.number >= 0 THEN wanted.number ELSE feeds.pruned_through END, feeds.head) AS asked
) AS ends;

-- And then FeedRead of each.
-- name: FeedsRead :many
SELECT wanted.place::integer AS place, entry.sequence, entry.previous_id, entry.id, entry.booking_id, entry.type, entry.time, entry.data
FROM (
    SELECT generate_subscripts(@roles::text[], 1) AS place, unnest(@roles::text[]) AS role,
           unnest(@user_ids::text[]) AS user_id, unnest(@afters::bigint[]) AS after
) AS wanted
CROSS JOIN LATERAL (
    SELECT feed_entries.sequence, coalesce(feed_entries.previous_id::text, '')::text AS previous_id,
           booking_events.id, booking_events.booking_id, booking_events.type, booking_events.time,
           booking_events.data::text AS data
    FROM feed_entries
    JOIN booking_events ON booking_events.id = feed_entries.event_id
    WHERE feed_entries.role = wanted.role AND feed_entries.user_id = wanted.user_id AND feed_entries.sequence > wanted.after
    ORDER BY feed_entries.sequence
    LIMIT @page_size
) AS entry
ORDER BY wanted.place, entry.sequence;
