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

-- Books each where the slot and the key are free and, if it is PENDING, the customer has
-- fewer PENDING bookings at this provider than max_pending. It answers for each how many
-- there are, whether it has booked, and the ids of the jobs that are to be inserted
-- with it (bookingjob.Insert). Free of races under the locks of the providers' feeds; no
-- two may be of one provider, since one statement does not see what it writes itself.
--
-- It raises no error where a slot is taken or a key is: the constraints
-- themselves are asked. An error would stand in the server's log and cost the
-- connection its prepared statements.
--
-- The ids are a subquery so that PostgreSQL cannot count them when it plans. It would
-- take a plan for one row for cheaper than the plan that it keeps, and plan anew each time.
-- name: BookingInsert :many
WITH given AS MATERIALIZED (
    SELECT asked.*, others.pending
    FROM (
        SELECT unnest((SELECT @ids::uuid[])) AS id, unnest(@provider_ids::text[]) AS provider_id, unnest(@customer_ids::text[]) AS customer_id,
               unnest(@start_times::timestamptz[]) AS start_time, unnest(@end_times::timestamptz[]) AS end_time,
               unnest(@statuses::text[]) AS status, unnest(@notes::text[]) AS note, unnest(@metadata::text[]) AS metadata,
               unnest(@versions::bigint[]) AS version, unnest(@moves::integer[]) AS moves,
               unnest(@idempotency_keys::text[]) AS idempotency_key, unnest(@request_fingerprints::bytea[]) AS request_fingerprint,
               unnest(@reminder_leads::text[]) AS reminder_leads, unnest(@reminder_due_times::timestamptz[]) AS reminder_due_time,
               unnest(@reminder_states::text[]) AS reminder_state, unnest(@reminds::boolean[]) AS reminds,
               unnest(@expire_times::timestamptz[]) AS expire_time, unnest(@expires::boolean[]) AS expires,
               unnest(@create_times::timestamptz[]) AS create_time, unnest(@update_times::timestamptz[]) AS update_time
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT count(*) AS pending
        FROM bookings
        WHERE asked.status = 'PENDING'
          AND bookings.customer_id = asked.customer_id
          AND bookings.provider_id = asked.provider_id
          AND bookings.status = 'PENDING'
          AND bookings.end_time > asked.create_time
    ) AS others
), inserted AS (
    INSERT INTO bookings (
        id, provider_id, customer_id, start_time, end_time, status, note, metadata, version, moves,
        idempotency_key, request_fingerprint,
        reminder_leads, reminder_due_time, reminder_state, reminder_job_id,
        expire_time, expire_job_id, create_time, update_time
    )
    SELECT
        given.id, given.provider_id, given.customer_id, given.start_time, given.end_time, given.status, given.note,
        given.metadata::jsonb, given.version, given.moves,
        nullif(given.idempotency_key, ''), given.request_fingerprint,
        given.reminder_leads::integer[], given.reminder_due_time, given.reminder_state,
        CASE WHEN given.reminds THEN nextval('river_job_id_seq') END,
        CASE WHEN given.expires THEN given.expire_time END, CASE WHEN given.expires THEN nextval('river_job_id_seq') END,
        given.create_time, given.update_time
    FROM given
    WHERE given.status <> 'PENDING' OR given.pending < @max_pending::bigint
    ON CONFLICT DO NOTHING
    RETURNING bookings.id, bookings.reminder_job_id, bookings.expire_job_id
)
SELECT given.id::uuid AS id, given.pending, (inserted.id IS NOT NULL)::boolean AS inserted,
       inserted.reminder_job_id, inserted.expire_job_id
FROM given
LEFT JOIN inserted ON inserted.id = given.id;

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
