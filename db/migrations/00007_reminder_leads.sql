-- +goose NO TRANSACTION
-- Each statement is a transaction of its own, so that no lock lasts while another
-- table is read. Each may be run again.

-- +goose Up

-- How long before the start reminders are due, in seconds, longest first. Empty in
-- rows of the version before, also in those that its instances still insert: they
-- have one lead, which is the start less the due time.
ALTER TABLE bookings ADD COLUMN IF NOT EXISTS reminder_leads integer[] NOT NULL DEFAULT '{}';

ALTER TABLE bookings
    DROP CONSTRAINT IF EXISTS bookings_reminder_leads_check,
    ADD CONSTRAINT bookings_reminder_leads_check CHECK (
        cardinality(reminder_leads) <= 5 AND 0 <= ALL (reminder_leads) AND 2592000 >= ALL (reminder_leads)
    ) NOT VALID;

ALTER TABLE bookings VALIDATE CONSTRAINT bookings_reminder_leads_check;

-- One reminder for each booking, start time and lead, ever. Those of the version
-- before tell no lead: of them there is one for each start.
CREATE UNIQUE INDEX IF NOT EXISTS booking_events_one_reminder_a_lead
    ON booking_events (booking_id, start_time, coalesce((data ->> 'leadSeconds')::integer, -1))
    WHERE type = 'booking.reminder.due';

DROP INDEX IF EXISTS booking_events_one_reminder;

-- +goose Down

-- Not unique: several reminders of one start may have gone out meanwhile.
CREATE INDEX IF NOT EXISTS booking_events_one_reminder ON booking_events (booking_id, start_time)
    WHERE type = 'booking.reminder.due';

DROP INDEX IF EXISTS booking_events_one_reminder_a_lead;

ALTER TABLE bookings DROP COLUMN IF EXISTS reminder_leads;
