package jobs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"bookings/internal/booking"
	"bookings/internal/bookingjob"
	"bookings/internal/expire"
	"bookings/internal/pgbatch"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
)

// note is a middleware that adds to a job, as tracing does.
type note struct{ river.MiddlewareDefaults }

func (*note) InsertMany(ctx context.Context, jobs []*rivertype.JobInsertParams, insert func(context.Context) (inserted, error)) (inserted, error) {
	jobs[0].Metadata = []byte(`{"traceparent": "a trace"}`)
	return insert(ctx)
}

// Our statement inserts what River's client would: each column of the row.
func TestAJobIsWhatRiverItselfWouldInsert(t *testing.T) {
	t.Parallel()
	moment := time.Date(2031, 3, 4, 9, 30, 0, 123456000, time.UTC)
	lead := int32(600)
	for name, test := range map[string]struct {
		sort    bookingjob.Sort
		args    func(id uuid.UUID) river.JobArgs
		options river.InsertOpts
		around  []rivertype.Middleware
	}{
		"a reminder later": {bookingjob.Reminder, func(id uuid.UUID) river.JobArgs {
			return remind.Args{BookingID: id, LeadSeconds: &lead, RequestID: "a"}
		}, river.InsertOpts{ScheduledAt: moment}, nil},
		"a reminder at once":  {bookingjob.Reminder, func(id uuid.UUID) river.JobArgs { return remind.Args{BookingID: id, Moves: 7, LeadSeconds: &lead} }, river.InsertOpts{}, nil},
		"an expiry":           {bookingjob.Expiry, func(id uuid.UUID) river.JobArgs { return expire.Args{BookingID: id, RequestID: "<&>"} }, river.InsertOpts{ScheduledAt: moment}, nil},
		"a job that is noted": {bookingjob.Reminder, func(id uuid.UUID) river.JobArgs { return remind.Args{BookingID: id} }, river.InsertOpts{}, []rivertype.Middleware{&note{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			client, err := NewInserter(pgpool.Of(pool), slog.New(slog.DiscardHandler), func() time.Time { return moment }, test.around...)
			if err != nil {
				t.Fatal(err)
			}
			b := bookingWithJobs(t, pool)
			var batch pgbatch.Batch
			if err := bookingjob.Insert(t.Context(), &batch, client, test.sort, b, test.args(b.ID), &test.options); err != nil {
				t.Fatal(err)
			}
			if err := batch.Send(t.Context(), pool); err != nil {
				t.Fatal(err)
			}
			id := map[bookingjob.Sort]int64{bookingjob.Reminder: 71, bookingjob.Expiry: 72}[test.sort]
			ours := takeJob(t, pool, id)
			err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
				_, err := client.InsertTx(t.Context(), tx, test.args(b.ID), &test.options)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if rivers := takeJob(t, pool, 1); ours != rivers {
				t.Errorf("ours   %s\nriver's %s", ours, rivers)
			}
		})
	}
}

// A row that is not as the batch meant to write it has no job.
func TestAJobIsInsertedWithItsBookingAlone(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	client, err := NewInserter(pgpool.Of(pool), slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := bookingWithJobs(t, pool)
	later, other := b, b
	later.Version++
	other.ID = uuid.New()
	for _, missing := range []booking.Booking{later, other} {
		var batch pgbatch.Batch
		if err := bookingjob.Insert(t.Context(), &batch, client, bookingjob.Reminder, missing, remind.Args{BookingID: b.ID}, nil); err != nil {
			t.Fatal(err)
		}
		if err := batch.Send(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	var jobs int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM river_job").Scan(&jobs); err != nil || jobs != 0 {
		t.Errorf("%d jobs, %v", jobs, err)
	}
}

// A cancelled job is as River's client would leave it.
func TestAJobIsCancelledAsRiverItselfWould(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"available", "pending", "retryable", "scheduled", "cancelled", "completed", "discarded"} {
		pool := pgtest.New(t)
		client, err := NewInserter(pgpool.Of(pool), slog.New(slog.DiscardHandler), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var rows [2]string
		for i := range rows {
			execute(t, pool, `INSERT INTO river_job (id, args, kind, max_attempts, scheduled_at, state, finalized_at)
				SELECT 1, '{}', 'reminder', 25, 'epoch', $1::text::river_job_state, CASE WHEN $1 IN ('cancelled', 'completed', 'discarded') THEN 'epoch'::timestamptz END`, state)
			if i == 0 {
				var batch pgbatch.Batch
				bookingjob.Cancel(&batch, 1, time.Now())
				err = batch.Send(t.Context(), pool)
			} else {
				_, err = client.JobCancel(t.Context(), 1)
			}
			if err != nil {
				t.Fatal(state, err)
			}
			rows[i] = takeJob(t, pool, 1)
		}
		if rows[0] != rows[1] {
			t.Errorf("ours   %s\nriver's %s", rows[0], rows[1])
		}
	}
}

// bookingWithJobs is one whose row has drawn the jobs 71 and 72.
func bookingWithJobs(t *testing.T, pool *pgxpool.Pool) booking.Booking {
	t.Helper()
	b := booking.Booking{ID: uuid.New(), Version: 1}
	execute(t, pool, `
		INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
			reminder_due_time, reminder_state, reminder_job_id, expire_time, expire_job_id, create_time, update_time)
		SELECT $1, 'ben', 'anna', now(), now() + interval '1 hour', 'PENDING', '', 1, 0, now(), 'SCHEDULED', 71, now(), 72, now(), now()`, b.ID)
	return b
}

// takeJob removes a job and answers it, but for its id and what the clock has put in.
func takeJob(t *testing.T, pool *pgxpool.Pool, id int64) (job string) {
	t.Helper()
	const take = `DELETE FROM river_job WHERE id = $1
		RETURNING (to_jsonb(river_job) - 'id' || jsonb_build_object(
			'created_at', created_at BETWEEN now() - interval '1 hour' AND now() + interval '1 hour',
			'finalized_at', CASE WHEN finalized_at > 'epoch' THEN 'now' ELSE finalized_at::text END,
			'metadata', CASE WHEN metadata ? 'cancel_attempted_at' THEN jsonb_build_object('cancel_attempted_at', 'now') ELSE metadata END
		))::text`
	if err := pool.QueryRow(t.Context(), take, id).Scan(&job); err != nil {
		t.Fatal(err)
	}
	return job
}
