-- sqlc spells `SELECT *` out, so that a new column is not named here again.
-- name: BookingGet :one
SELECT *
FROM bookings
WHERE id = @id;

-- name: BookingGetForUpdate :one
SELECT *
FROM bookings
WHERE id = @id
FOR UPDATE;

-- The parties of a booking never change, so they are read without a lock.
-- name: BookingParties :one
SELECT provider_id, customer_id
FROM bookings
WHERE id = @id;

-- The booking that a key has made, or none.
-- name: BookingGetByKey :many
SELECT *
FROM bookings
WHERE provider_id = @provider_id AND idempotency_key = @idempotency_key;

-- What is PENDING and not over yet: what still blocks the provider. Free of
-- races under the lock of the provider's feed. A booking that is being moved
-- does not count against itself.
-- name: BookingCountPending :one
SELECT count(*)
FROM bookings
WHERE customer_id = @customer_id
  AND provider_id = @provider_id
  AND status = 'PENDING'
  AND end_time > @now
  AND id <> @besides;

-- Books where the slot and the key are free and the customer has fewer PENDING
-- bookings at this provider than max_pending, which is NULL where nobody counts. It
-- answers how many there are, whether it has booked, and the ids of the jobs that
-- are to be inserted with it (bookingjob.Insert). Free of races under the lock of the
-- provider's feed.
--
-- It raises no error where the slot is taken or the key is: the constraints
-- themselves are asked. An error would stand in the server's log and cost the
-- connection its prepared statements.
-- name: BookingInsert :one
WITH others AS (
    SELECT count(*) AS pending
    FROM bookings
    WHERE sqlc.narg(max_pending)::bigint IS NOT NULL
      AND bookings.customer_id = @customer_id
      AND bookings.provider_id = @provider_id
      AND bookings.status = 'PENDING'
      AND bookings.end_time > @create_time
), inserted AS (
    INSERT INTO bookings (
        id, provider_id, customer_id, start_time, end_time, status, note, metadata, version, moves,
        idempotency_key, request_fingerprint,
        reminder_leads, reminder_due_time, reminder_state, reminder_job_id,
        expire_time, expire_job_id, create_time, update_time
    )
    SELECT
        @id, @provider_id, @customer_id, @start_time, @end_time, @status, @note, @metadata, @version, @moves,
        @idempotency_key, @request_fingerprint,
        @reminder_leads, @reminder_due_time, @reminder_state,
        CASE WHEN @reminds::boolean THEN nextval('river_job_id_seq') END,
        sqlc.narg(expire_time)::timestamptz, CASE WHEN sqlc.narg(expire_time)::timestamptz IS NOT NULL THEN nextval('river_job_id_seq') END,
        @create_time, @update_time
    FROM others
    WHERE sqlc.narg(max_pending) IS NULL OR others.pending < sqlc.narg(max_pending)
    ON CONFLICT DO NOTHING
    RETURNING bookings.id, bookings.reminder_job_id, bookings.expire_job_id
)
SELECT others.pending, (inserted.id IS NOT NULL)::boolean AS inserted,
       inserted.reminder_job_id, inserted.expire_job_id
FROM others
LEFT JOIN inserted ON true;

-- Updates nothing where another booking has the new slot. An UPDATE knows no ON
-- CONFLICT, so this says what bookings_no_overlap says; free of races under the
-- lock of the provider's feed. Where the slot stays, nobody is asked. It answers
-- the ids of the booking's jobs, new ones where the booking has been moved.
-- name: BookingUpdate :many
UPDATE bookings
SET start_time = @start_time,
    end_time = @end_time,
    status = @status,
    note = @note,
    metadata = @metadata,
    version = @version,
    moves = @moves,
    cancel_reason = @cancel_reason,
    cancelled_by = @cancelled_by,
    cancel_time = @cancel_time,
    reminder_leads = @reminder_leads,
    reminder_due_time = @reminder_due_time,
    reminder_state = @reminder_state,
    reminder_job_id = CASE WHEN @new_reminder::boolean THEN nextval('river_job_id_seq') ELSE @reminder_job_id END,
    expire_time = @expire_time,
    expire_job_id = CASE WHEN @new_expiry::boolean THEN nextval('river_job_id_seq') ELSE @expire_job_id END,
    update_time = @update_time
WHERE bookings.id = @id AND (
    (bookings.start_time = @start_time AND bookings.end_time = @end_time)
    OR NOT EXISTS (
        SELECT 1
        FROM bookings AS other
        WHERE other.provider_id = bookings.provider_id
          AND tstzrange(other.start_time, other.end_time) && tstzrange(@start_time, @end_time)
          AND other.status IN ('PENDING', 'CONFIRMED')
          AND other.id <> @id
    )
)
RETURNING bookings.reminder_job_id, bookings.expire_job_id;

-- Keyset pages, one query for each way round and each side that leads, so that
-- each reads one index in its order: a filter that may be absent inside one
-- query would make the planner read and sort all.
-- name: BookingListByProvider :many
SELECT *
FROM bookings
WHERE provider_id = @provider_id
  AND (sqlc.narg(customer_id)::text IS NULL OR customer_id = sqlc.narg(customer_id))
  AND (cardinality(@statuses::text[]) = 0 OR status = ANY (@statuses::text[]))
  AND start_time >= @start_time_from
  AND start_time < @start_time_to
  AND (start_time, id) > (@after_start::timestamptz, @after_id::uuid)
ORDER BY start_time, id
LIMIT @page_size;

-- name: BookingListByProviderDesc :many
SELECT *
FROM bookings
WHERE provider_id = @provider_id
  AND (sqlc.narg(customer_id)::text IS NULL OR customer_id = sqlc.narg(customer_id))
  AND (cardinality(@statuses::text[]) = 0 OR status = ANY (@statuses::text[]))
  AND start_time >= @start_time_from
  AND start_time < @start_time_to
  AND (start_time, id) < (@after_start::timestamptz, @after_id::uuid)
ORDER BY start_time DESC, id DESC
LIMIT @page_size;

-- name: BookingListByCustomer :many
SELECT *
FROM bookings
WHERE customer_id = @customer_id
  AND (cardinality(@statuses::text[]) = 0 OR status = ANY (@statuses::text[]))
  AND start_time >= @start_time_from
  AND start_time < @start_time_to
  AND (start_time, id) > (@after_start::timestamptz, @after_id::uuid)
ORDER BY start_time, id
LIMIT @page_size;

-- name: BookingListByCustomerDesc :many
SELECT *
FROM bookings
WHERE customer_id = @customer_id
  AND (cardinality(@statuses::text[]) = 0 OR status = ANY (@statuses::text[]))
  AND start_time >= @start_time_from
  AND start_time < @start_time_to
  AND (start_time, id) < (@after_start::timestamptz, @after_id::uuid)
ORDER BY start_time DESC, id DESC
LIMIT @page_size;

-- name: BookingListAll :many
SELECT *
FROM bookings
WHERE (cardinality(@statuses::text[]) = 0 OR status = ANY (@statuses::text[]))
  AND start_time >= @start_time_from
  AND start_time < @start_time_to
  AND (start_time, id) > (@after_start::timestamptz, @after_id::uuid)
ORDER BY start_time, id
LIMIT @page_size;

-- name: BookingListAllDesc :many
SELECT *
FROM bookings
WHERE (cardinality(@statuses::text[]) = 0 OR status = ANY (@statuses::text[]))
  AND start_time >= @start_time_from
  AND start_time < @start_time_to
  AND (start_time, id) < (@after_start::timestamptz, @after_id::uuid)
ORDER BY start_time DESC, id DESC
LIMIT @page_size;
