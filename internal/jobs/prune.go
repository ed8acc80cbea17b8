package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"bookings/internal/feed"
	"bookings/internal/pgpool"
)

const (
	pruneQueue = "maintenance"
	// pruneInterval is how often feeds are pruned: an entry lives that much
	// longer than the retention at most.
	pruneInterval = time.Hour
	// prunePause is between two rounds, in which calls get their turn and the
	// process may end.
	prunePause = time.Second
)

// PruneArgs is the job of one round of pruning, which needs no arguments.
type PruneArgs struct{}

// Kind implements river.JobArgs.
func (PruneArgs) Kind() string { return "prune_feeds" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (PruneArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: pruneQueue} }

// hourly inserts a job each interval, and one when a client starts to lead, so
// that instances which never run for an hour prune too.
func hourly() *river.PeriodicJob {
	return river.NewPeriodicJob(
		river.PeriodicInterval(pruneInterval),
		func() (river.JobArgs, *river.InsertOpts) { return PruneArgs{}, nil },
		&river.PeriodicJobOpts{RunOnStart: true},
	)
}

// Pruner removes feed entries that are older than the retention. Bookings and
// their histories stay.
type Pruner struct {
	river.WorkerDefaults[PruneArgs]

	Pool *pgpool.Pool
	// Retention is how long entries are kept.
	Retention time.Duration
	Now       func() time.Time
	Log       *slog.Logger
}

// Work prunes one round of feeds, and is to be called again where there are
// more.
func (p *Pruner) Work(ctx context.Context, _ *river.Job[PruneArgs]) error {
	removed, more, err := feed.Prune(ctx, p.Pool, p.Now().Add(-p.Retention))
	if removed > 0 {
		p.Log.InfoContext(ctx, "pruned feeds", "entries", removed)
	}
	if err == nil && more {
		return river.JobSnooze(prunePause) //nolint:wrapcheck // no failure: it tells River when to go on
	}
	return err
}
