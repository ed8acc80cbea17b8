-- +goose NO TRANSACTION
-- Each statement is a transaction of its own: who locks two tables, while calls
-- take them in their own order, deadlocks with them. Each may be run again. None
-- builds its index CONCURRENTLY: that waits for every other transaction, also
-- for other processes that wait until this one has migrated.

-- +goose Up

-- Texts in indexes are ordered by their bytes. The order of a locale comes from
-- the system's library, whose next version may have another one: the index is
-- broken then, and rows that are there are not found.
--
-- PostgreSQL makes the indexes on these columns anew and checks the rows, but
-- does not rewrite the table. It holds a table's lock meanwhile, in which calls
-- are answered DATABASE_UNAVAILABLE: 1 to 3 minutes for each million bookings,
-- most of them for bookings_no_overlap.
ALTER TABLE bookings
    ALTER COLUMN provider_id TYPE text COLLATE "C",
    ALTER COLUMN customer_id TYPE text COLLATE "C",
    ALTER COLUMN idempotency_key TYPE text COLLATE "C";

ALTER TABLE booking_events
    ALTER COLUMN actor_id TYPE text COLLATE "C";

ALTER TABLE feeds
    ALTER COLUMN role TYPE text COLLATE "C",
    ALTER COLUMN user_id TYPE text COLLATE "C";

ALTER TABLE feed_entries
    ALTER COLUMN role TYPE text COLLATE "C",
    ALTER COLUMN user_id TYPE text COLLATE "C";

-- What a customer has pending at a provider is counted in each create of a
-- customer's.
CREATE INDEX IF NOT EXISTS bookings_pending_idx ON bookings (provider_id, customer_id, end_time)
    WHERE status = 'PENDING';

-- Since when a feed's first entry may have been there: it happened then or
-- later. Pruning alone moves it, so that it costs those who write nothing, and
-- looks at those feeds alone where it is old. A feed that is there already has
-- the oldest time there is, which is true of every feed: the first round looks at
-- each of them once.
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS oldest_time timestamptz NOT NULL DEFAULT '-infinity';

ALTER TABLE feeds ALTER COLUMN oldest_time SET DEFAULT now();

CREATE INDEX IF NOT EXISTS feeds_oldest_idx ON feeds (oldest_time);

-- +goose Down

DROP INDEX IF EXISTS feeds_oldest_idx;

ALTER TABLE feeds DROP COLUMN IF EXISTS oldest_time;

DROP INDEX IF EXISTS bookings_pending_idx;

ALTER TABLE feed_entries
    ALTER COLUMN role TYPE text COLLATE "default",
    ALTER COLUMN user_id TYPE text COLLATE "default";

ALTER TABLE feeds
    ALTER COLUMN role TYPE text COLLATE "default",
    ALTER COLUMN user_id TYPE text COLLATE "default";

ALTER TABLE booking_events
    ALTER COLUMN actor_id TYPE text COLLATE "default";

ALTER TABLE bookings
    ALTER COLUMN provider_id TYPE text COLLATE "default",
    ALTER COLUMN customer_id TYPE text COLLATE "default",
    ALTER COLUMN idempotency_key TYPE text COLLATE "default";
