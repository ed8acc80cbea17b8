-- +goose NO TRANSACTION
-- Each statement is a transaction of its own, so that the lock of the first,
-- which stops everybody, does not last while the second reads the whole table.
-- Both may be run again.

-- +goose Up

-- A local day can have 25 hours.
ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_slot_length,
    ADD CONSTRAINT bookings_slot_length CHECK (end_time - start_time <= interval '25 hours') NOT VALID;

ALTER TABLE bookings VALIDATE CONSTRAINT bookings_slot_length;

-- +goose Down

-- What has been booked meanwhile may be longer than a day: it stays.
ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_slot_length,
    ADD CONSTRAINT bookings_slot_length CHECK (end_time - start_time <= interval '24 hours') NOT VALID;
