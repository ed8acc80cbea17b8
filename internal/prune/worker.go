// Package prune removes feed entries that are older than the retention, by a
// periodic River job. Bookings and their histories stay.
package prune

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"bookings/internal/feed"
)

const (
	queue = "maintenance"
	// interval is how often feeds are pruned: an entry lives that much longer
	// than the retention at most.
	interval = time.Hour
)

// Args are the job of one round; there is nothing to say.
type Args struct{}

// Kind implements river.JobArgs.
func (Args) Kind() string { return "prune_feeds" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (Args) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue} }

// Worker works the rounds.
type Worker struct {
	river.WorkerDefaults[Args]

	Pool *pgxpool.Pool
	// Retention is how long entries are kept.
	Retention time.Duration
	Now       func() time.Time
	Log       *slog.Logger
}

// Register makes a River client work rounds, one at a time, once an interval.
func (w *Worker) Register(config *river.Config) error {
	if err := river.AddWorkerSafely(config.Workers, w); err != nil {
		return fmt.Errorf("register the worker of retention: %w", err)
	}
	config.Queues[queue] = river.QueueConfig{MaxWorkers: 1}
	config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(
		river.PeriodicInterval(interval),
		func() (river.JobArgs, *river.InsertOpts) { return Args{}, nil },
		&river.PeriodicJobOpts{RunOnStart: true},
	))
	return nil
}

// Work prunes all feeds. A round that is cut off has removed what it has: the
// next goes on from there.
func (w *Worker) Work(ctx context.Context, _ *river.Job[Args]) error {
	removed, err := feed.Prune(ctx, w.Pool, w.Now().Add(-w.Retention))
	if removed > 0 {
		w.Log.InfoContext(ctx, "pruned feeds", "entries", removed)
	}
	return err
}
