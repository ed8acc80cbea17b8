-- +goose Up

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Every constraint has a name: the program turns names into the errors that
-- callers see (internal/pgerror).
CREATE TABLE bookings (
    id                  uuid        NOT NULL,
    provider_id         text        NOT NULL,
    customer_id         text        NOT NULL,
    start_time          timestamptz NOT NULL,
    end_time            timestamptz NOT NULL,
    status              text        NOT NULL,
    note                text        NOT NULL,
    -- Moves with each change that a caller makes; the etag shows it.
    version             bigint      NOT NULL,
    -- How often the booking has been moved: with the id, what makes its
    -- reminder's job unique.
    moves               integer     NOT NULL,
    cancel_reason       text,
    cancelled_by        text,
    cancel_time         timestamptz,
    idempotency_key     text,
    -- SHA-256 over the call that the key stands for; never changes.
    request_fingerprint bytea,
    reminder_due_time   timestamptz NOT NULL,
    reminder_state      text        NOT NULL,
    -- River's id of the reminder's job, so that a cancel finds it.
    reminder_job_id     bigint,
    create_time         timestamptz NOT NULL,
    update_time         timestamptz NOT NULL,

    CONSTRAINT bookings_pkey PRIMARY KEY (id),
    CONSTRAINT bookings_idempotency_key_unique UNIQUE (provider_id, idempotency_key),
    -- A provider is never booked twice at once. tstzrange is half open, and the
    -- CHECK below keeps empty ranges out, which would never conflict.
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist (
        provider_id WITH =,
        tstzrange(start_time, end_time) WITH &&
    ) WHERE (status IN ('PENDING', 'CONFIRMED')),

    CONSTRAINT bookings_provider_id_check CHECK (char_length(provider_id) BETWEEN 1 AND 128 AND provider_id !~ '[\u0001-\u001f\u007f-\u009f]'),
    CONSTRAINT bookings_customer_id_check CHECK (char_length(customer_id) BETWEEN 1 AND 128 AND customer_id !~ '[\u0001-\u001f\u007f-\u009f]'),
    CONSTRAINT bookings_parties_differ CHECK (provider_id <> customer_id),
    CONSTRAINT bookings_slot_order CHECK (start_time < end_time),
    CONSTRAINT bookings_slot_length CHECK (end_time - start_time <= interval '24 hours'),
    -- The years that RFC 3339 and google.protobuf.Timestamp can spell.
    CONSTRAINT bookings_slot_years CHECK (start_time >= '0001-01-01 00:00:00+00' AND end_time < '10000-01-01 00:00:00+00'),
    CONSTRAINT bookings_status_check CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED', 'COMPLETED', 'NO_SHOW')),
    CONSTRAINT bookings_note_length CHECK (char_length(note) <= 1000),
    CONSTRAINT bookings_version_check CHECK (version >= 1),
    CONSTRAINT bookings_moves_check CHECK (moves >= 0),
    CONSTRAINT bookings_cancellation_check CHECK (
        CASE status
            WHEN 'CANCELLED' THEN num_nonnulls(cancel_reason, cancelled_by, cancel_time) = 3
            ELSE num_nonnulls(cancel_reason, cancelled_by, cancel_time) = 0
        END
    ),
    CONSTRAINT bookings_cancel_reason_length CHECK (char_length(cancel_reason) <= 1000),
    CONSTRAINT bookings_cancelled_by_check CHECK (cancelled_by IN ('customer', 'provider', 'internal')),
    CONSTRAINT bookings_idempotency_key_check CHECK (idempotency_key ~ '^[!-~]{1,255}$'),
    CONSTRAINT bookings_fingerprint_check CHECK (
        (idempotency_key IS NULL) = (request_fingerprint IS NULL) AND octet_length(request_fingerprint) = 32
    ),
    CONSTRAINT bookings_reminder_state_check CHECK (reminder_state IN ('SCHEDULED', 'SENT', 'SKIPPED')),
    CONSTRAINT bookings_reminder_due_check CHECK (reminder_due_time <= start_time),
    -- A reminder that is still to come belongs to a booking that is still on,
    -- and has a job.
    CONSTRAINT bookings_reminder_scheduled_check CHECK (
        reminder_state <> 'SCHEDULED' OR (status IN ('PENDING', 'CONFIRMED') AND reminder_job_id IS NOT NULL)
    )
);

-- The three ways in which lists are read, each in its own order (AIP-158).
CREATE INDEX bookings_provider_start_idx ON bookings (provider_id, start_time, id);
CREATE INDEX bookings_customer_start_idx ON bookings (customer_id, start_time, id);
CREATE INDEX bookings_start_idx ON bookings (start_time, id);

-- What happened to a booking: kept with it, as its history.
CREATE TABLE booking_events (
    id         uuid        NOT NULL,
    -- The order of a booking's history: taken under the booking's lock.
    ordinal    bigint      GENERATED ALWAYS AS IDENTITY,
    booking_id uuid        NOT NULL,
    type       text        NOT NULL,
    time       timestamptz NOT NULL,
    actor_role text        NOT NULL,
    actor_id   text        NOT NULL,
    -- The booking's start when this happened.
    start_time timestamptz NOT NULL,
    data       jsonb       NOT NULL,

    CONSTRAINT booking_events_pkey PRIMARY KEY (id),
    CONSTRAINT booking_events_history_unique UNIQUE (booking_id, ordinal),
    CONSTRAINT booking_events_booking_fkey FOREIGN KEY (booking_id) REFERENCES bookings (id),
    CONSTRAINT booking_events_type_check CHECK (type IN (
        'booking.created', 'booking.confirmed', 'booking.cancelled', 'booking.rescheduled',
        'booking.completed', 'booking.no_show', 'booking.reminder.due'
    )),
    CONSTRAINT booking_events_actor_role_check CHECK (actor_role IN ('customer', 'provider', 'internal')),
    CONSTRAINT booking_events_actor_id_check CHECK ((actor_role = 'internal') = (actor_id = '')),
    CONSTRAINT booking_events_data_check CHECK (jsonb_typeof(data) = 'object')
);

-- One reminder for each booking and start time, ever.
CREATE UNIQUE INDEX booking_events_one_reminder ON booking_events (booking_id, start_time)
    WHERE type = 'booking.reminder.due';

-- A feed for each user in each role. Its row is the lock that every writing
-- path takes first (internal/bookingdb/lock.go), so it is updated often: room
-- is left in its pages for that.
CREATE TABLE feeds (
    role           text   NOT NULL,
    user_id        text   NOT NULL,
    -- The number of the newest entry; 0 for none.
    head           bigint NOT NULL DEFAULT 0,
    -- Entries up to this number have been removed.
    pruned_through bigint NOT NULL DEFAULT 0,

    CONSTRAINT feeds_pkey PRIMARY KEY (role, user_id),
    CONSTRAINT feeds_role_check CHECK (role IN ('customer', 'provider')),
    CONSTRAINT feeds_numbers_check CHECK (pruned_through >= 0 AND pruned_through <= head)
) WITH (fillfactor = 70);

-- No foreign keys: entries are written with their event and feed in one
-- statement, and pruned by the hundred.
CREATE TABLE feed_entries (
    role     text   NOT NULL,
    user_id  text   NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid   NOT NULL,

    CONSTRAINT feed_entries_pkey PRIMARY KEY (role, user_id, sequence),
    CONSTRAINT feed_entries_sequence_check CHECK (sequence >= 1)
);

-- +goose Down

DROP TABLE feed_entries;
DROP TABLE feeds;
DROP TABLE booking_events;
DROP TABLE bookings;
