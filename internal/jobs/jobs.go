// Package jobs configures River, PostgreSQL's job queue: the clients, and which
// worker works which queue, how often and for how long. The workers of
// reminders and expiries are in packages remind and expire; the one that prunes feeds is small enough to be here.
package jobs

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"bookings/internal/bookingjob"
	"bookings/internal/expire"
	"bookings/internal/pgpool"
	"bookings/internal/remind"
)

const (
	// fetchInterval bounds how long a job that is available waits to be seen.
	fetchInterval = 100 * time.Millisecond
	fetchCooldown = 50 * time.Millisecond
	jobTimeout    = 30 * time.Second
	// rescueAfter must be longer than jobTimeout; a job whose worker died is
	// tried again after it, plus up to 30 s for the rescuer's round.
	rescueAfter = time.Minute
	// reminderWorkers is how many reminders one process has at a time: the batches that
	// are worked (package remind), and as many that gather for the next meanwhile.
	reminderWorkers = 600
	// reminderCooldown is between two fetches while more reminders are due than there
	// are workers, or than one fetch has found.
	reminderCooldown = 5 * time.Millisecond
	// expiryWorkers is how many bookings one process lets expire at a time.
	expiryWorkers = 5
)

// NewInserter makes a client that inserts jobs and never works them, for an
// instance that leaves the work to others. It may not be started: River elects
// one started client to keep all queues, and one that has no workers would
// discard every job as unknown. now is PostgreSQL's time (package clock), around
// what stands around each job, such as tracing.
func NewInserter(pool *pgpool.Pool, log *slog.Logger, now func() time.Time, around ...rivertype.Middleware) (*river.Client[pgx.Tx], error) {
	return newClient(pool, now, &river.Config{Logger: log, Middleware: around})
}

// NewWorker makes a client that inserts jobs and, once started, works those of
// all instances. now is PostgreSQL's time (package clock). Where pruner is nil,
// as in tests of reminders, no feed is pruned. around is as NewInserter's.
func NewWorker(
	pool *pgpool.Pool, log *slog.Logger, now func() time.Time,
	reminders *remind.Worker, expiries *expire.Worker, pruner *Pruner, around ...rivertype.Middleware,
) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, reminders)
	river.AddWorker(workers, expiries)
	config := &river.Config{
		Logger:     log,
		Middleware: around,
		Queues: map[string]river.QueueConfig{
			remind.Queue: {MaxWorkers: reminderWorkers, FetchCooldown: reminderCooldown},
			expire.Queue: {MaxWorkers: expiryWorkers},
		},
		Workers:              workers,
		FetchPollInterval:    fetchInterval,
		FetchCooldown:        fetchCooldown,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
		PollOnly:             pool.Pooler,
	}
	if pruner != nil {
		// A queue of its own with one worker an instance: a long round delays no
		// reminder. Rounds of two instances pass over what the other has locked.
		river.AddWorker(workers, pruner)
		config.Queues[pruneQueue] = river.QueueConfig{MaxWorkers: 1}
		config.PeriodicJobs = []*river.PeriodicJob{hourly()}
	}
	return newClient(pool, now, config)
}

func newClient(pool *pgpool.Pool, now func() time.Time, config *river.Config) (*river.Client[pgx.Tx], error) {
	config.Test.Time = clock(now)
	config.Middleware = append(config.Middleware, &stamp{now: now}, &bookingjob.Collector{})
	client, err := river.NewClient(riverpgxv5.New(pool.Pool), config)
	if err != nil {
		return nil, fmt.Errorf("make a River client: %w", err)
	}
	return client, nil
}
