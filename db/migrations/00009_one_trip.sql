-- +goose NO TRANSACTION
-- Each statement is a transaction of its own, so that the lock of one does not last
-- while the next reads a table. Each may be run again.

-- +goose Up
-- The entry before a feed's newest: what the newest names as the one before it. The
-- statement that moves a feed on learns it from the row that it writes, so that it
-- need not have locked and read the feed before. Rows of the version before have
-- none until they move on, and nobody asks for it until then.
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS previous_id uuid;

-- The same keys as before at a fifth of the cost: a bounded repetition makes
-- PostgreSQL build an automaton of 255 states for each row.
ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_idempotency_key_check,
    ADD CONSTRAINT bookings_idempotency_key_check CHECK (
        char_length(idempotency_key) BETWEEN 1 AND 255 AND idempotency_key !~ '[^!-~]'
    ) NOT VALID;
ALTER TABLE bookings VALIDATE CONSTRAINT bookings_idempotency_key_check;

-- A reminder changes what no index has: with room in its page, a row's new version
-- stays there, and no index is written.
ALTER TABLE bookings SET (fillfactor = 80);

-- +goose Down
ALTER TABLE bookings RESET (fillfactor);
ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_idempotency_key_check,
    ADD CONSTRAINT bookings_idempotency_key_check CHECK (idempotency_key ~ '^[!-~]{1,255}$');
ALTER TABLE feeds DROP COLUMN IF EXISTS previous_id;
