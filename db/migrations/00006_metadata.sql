-- +goose NO TRANSACTION
-- Each statement is a transaction of its own, so that the lock of the first of a
-- table, which stops everybody, does not last while the next reads the whole table.
-- Each may be run again.

-- +goose Up

-- The caller's own facts: a map of strings, empty where there are none. Instances
-- of the version before go on inserting without it.
ALTER TABLE bookings ADD COLUMN IF NOT EXISTS metadata jsonb NOT NULL DEFAULT '{}';

-- A CHECK may not have a sub-select, so JSON's own path language is asked. Its
-- regular expressions count to 255 at most.
ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_metadata_check,
    DROP CONSTRAINT IF EXISTS bookings_metadata_count,
    DROP CONSTRAINT IF EXISTS bookings_metadata_keys,
    DROP CONSTRAINT IF EXISTS bookings_metadata_values,
    ADD CONSTRAINT bookings_metadata_check CHECK (
        jsonb_typeof(metadata) = 'object' AND NOT metadata @? 'strict $.* ? (@.type() != "string")'
    ) NOT VALID,
    ADD CONSTRAINT bookings_metadata_count CHECK (
        jsonb_array_length(jsonb_path_query_array(metadata, '$.keyvalue()')) <= 20
    ) NOT VALID,
    ADD CONSTRAINT bookings_metadata_keys CHECK (
        NOT metadata @? '$.keyvalue().key ? (!(@ like_regex "^[A-Za-z0-9_.-]{1,40}$"))'
    ) NOT VALID,
    ADD CONSTRAINT bookings_metadata_values CHECK (
        NOT metadata @? '$.* ? (@ like_regex "^.{250}.{251}" flag "s")'
    ) NOT VALID;

ALTER TABLE bookings VALIDATE CONSTRAINT bookings_metadata_check;
ALTER TABLE bookings VALIDATE CONSTRAINT bookings_metadata_count;
ALTER TABLE bookings VALIDATE CONSTRAINT bookings_metadata_keys;
ALTER TABLE bookings VALIDATE CONSTRAINT bookings_metadata_values;

ALTER TABLE booking_events
    DROP CONSTRAINT IF EXISTS booking_events_type_check,
    ADD CONSTRAINT booking_events_type_check CHECK (type IN (
        'booking.created', 'booking.confirmed', 'booking.cancelled', 'booking.rescheduled', 'booking.updated',
        'booking.completed', 'booking.no_show', 'booking.reminder.due'
    )) NOT VALID;

ALTER TABLE booking_events VALIDATE CONSTRAINT booking_events_type_check;

-- +goose Down

-- What was updated meanwhile stays in the history.
ALTER TABLE booking_events
    DROP CONSTRAINT IF EXISTS booking_events_type_check,
    ADD CONSTRAINT booking_events_type_check CHECK (type IN (
        'booking.created', 'booking.confirmed', 'booking.cancelled', 'booking.rescheduled',
        'booking.completed', 'booking.no_show', 'booking.reminder.due'
    )) NOT VALID;

ALTER TABLE bookings DROP COLUMN IF EXISTS metadata;
