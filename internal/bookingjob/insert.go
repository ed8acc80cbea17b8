package bookingjob

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"bookings/internal/booking"
	"bookings/internal/pgbatch"
)

// Sort says which of a booking's jobs one is: the column that has its id.
type Sort string

// The sorts of jobs.
const (
	Reminder Sort = "reminder_job_id"
	Expiry   Sort = "expire_job_id"
)

// Insert adds to a batch the insertion of a job of a booking that the batch has
// written before. The booking's row has drawn the job's id already; without that
// row, in the version that was meant, there is no job either. So a job needs no
// round trip of its own, and a refused call leaves none.
//
// River makes the job and everything that is in it; its statement alone is ours. A
// worker finds a job that is due at once within jobs' fetch interval: we do not notify
// it, as River does, since PostgreSQL commits transactions that notify one by one.
func Insert(
	ctx context.Context, batch *pgbatch.Batch, client *river.Client[pgx.Tx], sort Sort, b booking.Booking, args river.JobArgs, options *river.InsertOpts,
) error {
	job, err := prepare(ctx, client, args, options)
	if err != nil {
		return fmt.Errorf("prepare the job of a booking (%s): %w", sort, err)
	}
	batch.Queue(insertSQL[sort], b.ID, b.Version, string(job.EncodedArgs), job.Kind, job.MaxAttempts, string(job.Metadata), job.Priority,
		job.Queue, job.ScheduledAt, string(job.State), job.Tags, job.UniqueKey, int32(job.UniqueStates))
	return nil
}

var insertSQL = map[Sort]string{Reminder: insertStatement(Reminder), Expiry: insertStatement(Expiry)}

// insertStatement is River's own (JobInsertFastMany) for one job. It resolves no
// conflict: a booking's version has each of its jobs once.
func insertStatement(sort Sort) string {
	return `INSERT INTO river_job (
		id, args, kind, max_attempts, metadata, priority, queue, scheduled_at, state, tags, unique_key, unique_states
	)
	SELECT bookings.` + string(sort) + `, $3, $4, $5, $6, $7, $8, $9, $10::text::river_job_state, $11, $12, $13::integer::bit(8)
	FROM bookings
	WHERE bookings.id = $1 AND bookings.version = $2`
}

// prepare is the job as River would insert it.
func prepare(ctx context.Context, client *river.Client[pgx.Tx], args river.JobArgs, options *river.InsertOpts) (*rivertype.JobInsertParams, error) {
	var taken collected
	_, err := client.InsertTx(context.WithValue(ctx, collectedKey{}, &taken), nil, args, options)
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // by Insert
	case taken.job == nil:
		return nil, errors.New("the client has no bookingjob.Collector")
	}
	return taken.job, nil
}

// Collector is the innermost of a client's middleware. Where Insert asks, it takes
// the job from River before it is written; else it does nothing.
type Collector struct{ river.MiddlewareDefaults }

type collectedKey struct{}

type collected struct{ job *rivertype.JobInsertParams }

// InsertMany implements River's middleware for inserting.
func (*Collector) InsertMany(
	ctx context.Context, jobs []*rivertype.JobInsertParams, insert func(context.Context) ([]*rivertype.JobInsertResult, error),
) ([]*rivertype.JobInsertResult, error) {
	taken, ok := ctx.Value(collectedKey{}).(*collected)
	if !ok {
		return insert(ctx)
	}
	taken.job = jobs[0]
	return []*rivertype.JobInsertResult{{Job: &rivertype.JobRow{}}}, nil
}
