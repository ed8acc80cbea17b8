package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/expire"
	"bookings/internal/pgpool"
	"bookings/internal/remind"
)

// Backlog is what waits in a queue, in one state of River's.
type Backlog struct {
	Queue string
	State string
	// Jobs is how many there are; it ends at 100,000.
	Jobs int64
	// Overdue is for how long the oldest has been due; 0 where none is.
	Overdue time.Duration
}

// backlogQuery counts in the index by which River fetches, up to a bound: it is
// asked by every scrape. All jobs of ours have the priority 1.
const backlogQuery = `
	SELECT wanted.queue, wanted.state, counted.jobs,
	       coalesce(extract(EPOCH FROM greatest(clock_timestamp() - oldest.scheduled_at, '0')), 0)::double precision
	FROM (SELECT queue, state FROM unnest($1::text[]) AS queue, unnest($2::text[]) AS state) AS wanted
	CROSS JOIN LATERAL (
		SELECT count(*) AS jobs
		FROM (
			SELECT FROM river_job
			WHERE river_job.state = wanted.state::river_job_state AND river_job.queue = wanted.queue
			LIMIT 100000
		) AS bounded
	) AS counted
	LEFT JOIN LATERAL (
		SELECT river_job.scheduled_at
		FROM river_job
		WHERE river_job.state = wanted.state::river_job_state AND river_job.queue = wanted.queue AND river_job.priority = 1
		ORDER BY river_job.scheduled_at
		LIMIT 1
	) AS oldest ON true`

// ReadBacklog reads what waits in each queue, in the whole installation.
func ReadBacklog(ctx context.Context, pool *pgpool.Pool) ([]Backlog, error) {
	rows, err := pool.Query(ctx, backlogQuery, []string{remind.Queue, expire.Queue, pruneQueue}, []string{"scheduled", "available", "running", "retryable"})
	if err != nil {
		return nil, fmt.Errorf("read what waits in the queues: %w", err)
	}
	backlogs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Backlog, err error) {
		var seconds float64
		err = row.Scan(&b.Queue, &b.State, &b.Jobs, &seconds)
		b.Overdue = time.Duration(seconds * float64(time.Second))
		return b, err //nolint:wrapcheck // below, for all of them
	})
	if err != nil {
		return nil, fmt.Errorf("read what waits in the queues: %w", err)
	}
	return backlogs, nil
}
