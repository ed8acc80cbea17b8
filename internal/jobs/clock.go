package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// clock is PostgreSQL's time as River takes it. River moves scheduled jobs to
// the ready ones by the clock of the instance that leads, and fetches those by
// PostgreSQL's: led by an instance that is 30 s behind, a reminder would come 25 s
// late, perhaps after the start. River's setting for tests is the one place
// where it can be given a clock.
type clock func() time.Time

// Now implements River's TimeGenerator.
func (c clock) Now() time.Time { return c() }

// NowOrNil implements River's TimeGenerator: where River can, it asks PostgreSQL.
func (c clock) NowOrNil() *time.Time { return nil }

// stamp gives jobs that are to run at once their time. River's driver would take
// the machine's: inserted by one that is 30 s ahead, a job would wait 30 s.
type stamp struct {
	river.MiddlewareDefaults

	now func() time.Time
}

type inserted = []*rivertype.JobInsertResult

// InsertMany implements River's middleware for inserting.
func (s *stamp) InsertMany(ctx context.Context, jobs []*rivertype.JobInsertParams, insert func(context.Context) (inserted, error)) (inserted, error) {
	now := s.now()
	for _, job := range jobs {
		if job.ScheduledAt == nil {
			job.ScheduledAt = &now
		}
	}
	return insert(ctx)
}
