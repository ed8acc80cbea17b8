package remind

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

const (
	// fetchInterval bounds how long a due reminder waits to be seen.
	fetchInterval = 100 * time.Millisecond
	fetchCooldown = 50 * time.Millisecond
	jobTimeout    = 30 * time.Second
	// rescueAfter must be longer than jobTimeout; a job whose worker died is
	// tried again after it, plus up to 30 s for the rescuer's round.
	rescueAfter = time.Minute
	maxWorkers  = 10
)

// NewInserter makes a client that inserts jobs and never works them.
func NewInserter(pool *pgxpool.Pool, log *slog.Logger) (*Client, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("make a River client: %w", err)
	}
	return client, nil
}

// NewWorkerClient makes a client that also works jobs once it is started.
func NewWorkerClient(worker *Worker) (*Client, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, worker); err != nil {
		return nil, fmt.Errorf("register the reminder's worker: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(worker.Pool), &river.Config{
		Logger:               worker.Log,
		Queues:               map[string]river.QueueConfig{Queue: {MaxWorkers: maxWorkers}},
		Workers:              workers,
		FetchPollInterval:    fetchInterval,
		FetchCooldown:        fetchCooldown,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
	})
	if err != nil {
		return nil, fmt.Errorf("make a River client: %w", err)
	}
	return client, nil
}
