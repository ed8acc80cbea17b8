-- +goose NO TRANSACTION
-- Each statement is a transaction of its own, so that no lock lasts while a table is
-- read. Each may be run again.

-- +goose Up

-- When a PENDING booking expires, and River's id of the job that sees to it. Only
-- while the booking is PENDING: instances of the version before confirm and cancel
-- without taking it away.
ALTER TABLE bookings
    ADD COLUMN IF NOT EXISTS expire_time timestamptz,
    ADD COLUMN IF NOT EXISTS expire_job_id bigint;

ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_expiry_check,
    ADD CONSTRAINT bookings_expiry_check CHECK ((expire_time IS NULL) = (expire_job_id IS NULL)) NOT VALID,
    DROP CONSTRAINT IF EXISTS bookings_cancelled_by_check,
    ADD CONSTRAINT bookings_cancelled_by_check CHECK (cancelled_by IN ('customer', 'provider', 'internal', 'system')) NOT VALID;

ALTER TABLE bookings VALIDATE CONSTRAINT bookings_expiry_check;

ALTER TABLE bookings VALIDATE CONSTRAINT bookings_cancelled_by_check;

ALTER TABLE booking_events
    DROP CONSTRAINT IF EXISTS booking_events_actor_role_check,
    ADD CONSTRAINT booking_events_actor_role_check CHECK (actor_role IN ('customer', 'provider', 'internal', 'system')) NOT VALID,
    DROP CONSTRAINT IF EXISTS booking_events_actor_id_check,
    ADD CONSTRAINT booking_events_actor_id_check CHECK ((actor_role IN ('internal', 'system')) = (actor_id = '')) NOT VALID;

ALTER TABLE booking_events VALIDATE CONSTRAINT booking_events_actor_role_check;

ALTER TABLE booking_events VALIDATE CONSTRAINT booking_events_actor_id_check;

-- +goose Down

-- What the system has cancelled meanwhile stays.
ALTER TABLE booking_events
    DROP CONSTRAINT IF EXISTS booking_events_actor_id_check,
    ADD CONSTRAINT booking_events_actor_id_check CHECK ((actor_role = 'internal') = (actor_id = '')) NOT VALID,
    DROP CONSTRAINT IF EXISTS booking_events_actor_role_check,
    ADD CONSTRAINT booking_events_actor_role_check CHECK (actor_role IN ('customer', 'provider', 'internal')) NOT VALID;

ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_cancelled_by_check,
    ADD CONSTRAINT bookings_cancelled_by_check CHECK (cancelled_by IN ('customer', 'provider', 'internal')) NOT VALID,
    DROP COLUMN IF EXISTS expire_job_id,
    DROP COLUMN IF EXISTS expire_time;
