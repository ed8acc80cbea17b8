// Package jobs makes River clients: one that inserts jobs, and one that works
// every kind of job that it is given.
package jobs

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

const (
	// fetchInterval bounds how long a due job waits to be seen.
	fetchInterval = 100 * time.Millisecond
	fetchCooldown = 50 * time.Millisecond
	jobTimeout    = 30 * time.Second
	// rescueAfter must be longer than jobTimeout; a job whose worker died is
	// tried again after it, plus up to 30 s for the rescuer's round.
	rescueAfter = time.Minute
)

// Client inserts jobs, and works them once it is started if it was made for
// that.
type Client = river.Client[pgx.Tx]

// Kind is a kind of job that a client works: a worker that adds itself, its
// queue and its periods to the client's configuration.
type Kind interface {
	Register(config *river.Config) error
}

// NewInserter makes a client that inserts jobs and never works them. It may not
// be started: a leader that lacks a worker would discard the jobs it does not
// know.
func NewInserter(pool *pgxpool.Pool, log *slog.Logger) (*Client, error) {
	return newClient(pool, &river.Config{Logger: log})
}

// NewWorker makes a client that also works jobs of these kinds.
func NewWorker(pool *pgxpool.Pool, log *slog.Logger, kinds ...Kind) (*Client, error) {
	config := &river.Config{
		Logger:               log,
		Queues:               map[string]river.QueueConfig{},
		Workers:              river.NewWorkers(),
		FetchPollInterval:    fetchInterval,
		FetchCooldown:        fetchCooldown,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
	}
	for _, kind := range kinds {
		if err := kind.Register(config); err != nil {
			return nil, err
		}
	}
	return newClient(pool, config)
}

func newClient(pool *pgxpool.Pool, config *river.Config) (*Client, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		return nil, fmt.Errorf("make a River client: %w", err)
	}
	return client, nil
}
