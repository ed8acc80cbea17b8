-- +goose NO TRANSACTION
-- Each statement is a transaction of its own, and each may be run again. Servers
-- of the version before cannot write once it has begun: their entries would name
-- no entry before them, and be missing in the feed of everything. The
-- constraints refuse them, so stop them first.

-- +goose Up

-- Each entry names the one before it, and a feed its newest, so that a reader can
-- tell whether what comes next follows on what it has.
ALTER TABLE feed_entries ADD COLUMN IF NOT EXISTS previous_id uuid;

ALTER TABLE feeds
    ADD COLUMN IF NOT EXISTS newest_id uuid,
    -- The newest entry's booking_events.ordinal: the next one's is higher.
    ADD COLUMN IF NOT EXISTS newest_ordinal bigint NOT NULL DEFAULT 0;

-- +goose StatementBegin
DO $$
BEGIN
    -- Whoever writes to feeds locks one row after the other, in an order that an
    -- UPDATE of all does not keep.
    LOCK TABLE feeds, feed_entries IN SHARE ROW EXCLUSIVE MODE;

    UPDATE feed_entries
    SET previous_id = earlier.event_id
    FROM feed_entries AS earlier
    WHERE feed_entries.previous_id IS NULL
      AND earlier.role = feed_entries.role AND earlier.user_id = feed_entries.user_id
      AND earlier.sequence = feed_entries.sequence - 1;

    -- What has been pruned from a feed is in the histories of its user's bookings
    -- still: an event before the first entry that is left, and the newest of a feed
    -- where none is.
    CREATE TEMPORARY TABLE party_events ON COMMIT DROP AS
    SELECT 'provider' AS role, bookings.provider_id AS user_id, booking_events.id, booking_events.ordinal
    FROM booking_events
    JOIN bookings ON bookings.id = booking_events.booking_id
    JOIN feeds ON feeds.role = 'provider' AND feeds.user_id = bookings.provider_id
    WHERE feeds.pruned_through > 0
    UNION ALL
    SELECT 'customer', bookings.customer_id, booking_events.id, booking_events.ordinal
    FROM booking_events
    JOIN bookings ON bookings.id = booking_events.booking_id
    JOIN feeds ON feeds.role = 'customer' AND feeds.user_id = bookings.customer_id
    WHERE feeds.pruned_through > 0;

    CREATE INDEX ON party_events (role, user_id, ordinal);

    UPDATE feed_entries
    SET previous_id = (
        SELECT party_events.id
        FROM party_events
        WHERE party_events.role = feed_entries.role AND party_events.user_id = feed_entries.user_id
          AND party_events.ordinal < event.ordinal
        ORDER BY party_events.ordinal DESC
        LIMIT 1
    )
    FROM booking_events AS event
    WHERE event.id = feed_entries.event_id AND feed_entries.previous_id IS NULL AND feed_entries.sequence > 1;

    UPDATE feeds
    SET newest_id = coalesce(
            (
                SELECT feed_entries.event_id
                FROM feed_entries
                WHERE feed_entries.role = feeds.role AND feed_entries.user_id = feeds.user_id
                  AND feed_entries.sequence = feeds.head
            ),
            (
                SELECT party_events.id
                FROM party_events
                WHERE party_events.role = feeds.role AND party_events.user_id = feeds.user_id
                ORDER BY party_events.ordinal DESC
                LIMIT 1
            )
        ),
        newest_ordinal = (SELECT max(ordinal) FROM booking_events)
    WHERE feeds.head > 0 AND feeds.newest_id IS NULL;

    ALTER TABLE feed_entries
        DROP CONSTRAINT IF EXISTS feed_entries_previous_check,
        ADD CONSTRAINT feed_entries_previous_check CHECK ((sequence = 1) = (previous_id IS NULL));

    ALTER TABLE feeds
        DROP CONSTRAINT IF EXISTS feeds_newest_check,
        ADD CONSTRAINT feeds_newest_check CHECK ((head = 0) = (newest_id IS NULL));
END
$$;
-- +goose StatementEnd

-- The feed of everything is a feed like the others, of nobody.
ALTER TABLE feeds
    DROP CONSTRAINT IF EXISTS feeds_role_check,
    ADD CONSTRAINT feeds_role_check CHECK (role IN ('customer', 'provider', 'all') AND (role = 'all') = (user_id = ''));

INSERT INTO feeds (role, user_id) VALUES ('all', '') ON CONFLICT DO NOTHING;

-- Events that the feed of everything does not have yet: written in the event's
-- transaction, and taken after its commit (internal/feed/sequencer.go). It is
-- nearly always empty, and what was taken from it is to be cleaned up soon: all
-- that is left of it is read again each time.
CREATE TABLE IF NOT EXISTS event_outbox (
    ordinal  bigint NOT NULL,
    event_id uuid   NOT NULL,

    CONSTRAINT event_outbox_pkey PRIMARY KEY (ordinal, event_id)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000
);

-- What users' feeds keep is in the feed of everything, too.
INSERT INTO event_outbox (ordinal, event_id)
SELECT booking_events.ordinal, booking_events.id
FROM booking_events
WHERE EXISTS (SELECT 1 FROM feed_entries WHERE feed_entries.event_id = booking_events.id AND feed_entries.role <> 'all')
  AND NOT EXISTS (SELECT 1 FROM feed_entries WHERE feed_entries.event_id = booking_events.id AND feed_entries.role = 'all')
ON CONFLICT DO NOTHING;

-- +goose Down

DROP TABLE IF EXISTS event_outbox;

DELETE FROM feed_entries WHERE role = 'all';

DELETE FROM feeds WHERE role = 'all';

ALTER TABLE feeds
    DROP CONSTRAINT IF EXISTS feeds_role_check,
    ADD CONSTRAINT feeds_role_check CHECK (role IN ('customer', 'provider'));

ALTER TABLE feeds DROP COLUMN IF EXISTS newest_id, DROP COLUMN IF EXISTS newest_ordinal;

ALTER TABLE feed_entries DROP COLUMN IF EXISTS previous_id;
