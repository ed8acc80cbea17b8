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

-- Inserts nothing, and raises no error, where the slot is taken or the key is:
-- the constraints themselves are asked. An error would end the transaction, stand
-- in the server's log and cost the connection its prepared statements.
-- name: BookingInsert :execrows
INSERT INTO bookings (
    id, provider_id, customer_id, start_time, end_time, status, note, metadata, version, moves,
    idempotency_key, request_fingerprint,
    reminder_leads, reminder_due_time, reminder_state, reminder_job_id, expire_time, expire_job_id, create_time, update_time
) VALUES (
    @id, @provider_id, @customer_id, @start_time, @end_time, @status, @note, @metadata, @version, @moves,
    @idempotency_key, @request_fingerprint,
    @reminder_leads, @reminder_due_time, @reminder_state, @reminder_job_id, @expire_time, @expire_job_id, @create_time, @update_time
)
ON CONFLICT DO NOTHING;

-- Updates nothing where another booking has the new slot. An UPDATE knows no ON
-- CONFLICT, so this says what bookings_no_overlap says; free of races under the
-- lock of the provider's feed. Where the slot stays, nobody is asked.
-- name: BookingUpdate :execrows
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
    reminder_job_id = @reminder_job_id,
    expire_time = @expire_time,
    expire_job_id = @expire_job_id,
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
);

-- The reminder alone: neither version nor update_time move with it.
-- name: BookingSetReminder :exec
UPDATE bookings
SET reminder_due_time = @reminder_due_time,
    reminder_state = @reminder_state,
    reminder_job_id = @reminder_job_id
WHERE id = @id;

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
