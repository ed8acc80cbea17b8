package bookingjob

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
)

// CompleteMany is river.JobCompleteTx for many jobs: it marks them as completed in
// the transaction of what they have done, with one statement, which is River's own.
// One that does not run any more is left as it is.
func CompleteMany[T river.JobArgs](ctx context.Context, tx pgx.Tx, jobs []*river.Job[T], now time.Time) error {
	if len(jobs) == 0 {
		return nil
	}
	var params riverdriver.JobSetStateIfRunningManyParams
	for _, job := range jobs {
		add(&params, riverdriver.JobSetStateCompleted(job.ID, now, nil))
	}
	client := river.ClientFromContext[pgx.Tx](ctx)
	if _, err := client.Driver().UnwrapExecutor(tx).JobSetStateIfRunningMany(ctx, &params); err != nil {
		return fmt.Errorf("complete jobs: %w", err)
	}
	return nil
}

func add(params *riverdriver.JobSetStateIfRunningManyParams, one *riverdriver.JobSetStateIfRunningParams) {
	params.ID = append(params.ID, one.ID)
	params.Attempt = append(params.Attempt, one.Attempt)
	params.ErrData = append(params.ErrData, one.ErrData)
	params.FinalizedAt = append(params.FinalizedAt, one.FinalizedAt)
	params.MetadataDoMerge = append(params.MetadataDoMerge, false)
	params.MetadataUpdates = append(params.MetadataUpdates, nil)
	params.ScheduledAt = append(params.ScheduledAt, one.ScheduledAt)
	params.State = append(params.State, one.State)
}
