-- name: ClockTime :one
SELECT clock_timestamp()::timestamptz AS time;
