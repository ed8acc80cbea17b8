package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"bookings/internal/pause"
)

// schemaInterval is how often a worker looks whether its tables are there.
const schemaInterval = time.Second

// startBackground starts what works beside requests: broadcasts, and reminders
// where they are worked here. The function that it returns ends both, jobs
// before the broadcasts that they need.
func (s *Server) startBackground(ctx context.Context) (stop func(deadline context.Context) error) {
	ctx = context.WithoutCancel(ctx)
	broadcasting, stopBroadcasts := context.WithCancel(ctx)
	starting, stopStarting := context.WithCancel(ctx)
	var broadcasts, start sync.WaitGroup
	broadcasts.Go(func() { s.feeds.Run(broadcasting) })
	broadcasts.Go(func() { s.clock.Run(broadcasting) })
	if s.settings.Worker {
		start.Go(func() { s.startWork(starting) })
	}
	return func(deadline context.Context) (err error) {
		stopStarting()
		start.Wait()
		if stopErr := s.jobs.Stop(deadline); stopErr != nil {
			err = fmt.Errorf("jobs did not end in time: %w", stopErr)
		}
		stopBroadcasts()
		broadcasts.Wait()
		return err
	}
}

// startWork starts working reminders, once the schema is new enough.
func (s *Server) startWork(ctx context.Context) {
	for !s.health.checkSchema(ctx) {
		if !pause.For(ctx, schemaInterval) {
			return
		}
	}
	// River takes a jump of its clock for time that has passed: it is set first.
	if err := s.clock.Measure(ctx); err != nil {
		s.log.Warn("cannot read PostgreSQL's clock: jobs go by this machine's until then", "error", err)
	}
	// At the end of River's context jobs would be cut off, not finished: Stop
	// ends them.
	if err := s.jobs.Start(context.WithoutCancel(ctx)); err != nil {
		s.log.Error("cannot work reminders", "error", err)
		return
	}
	s.log.Info("working reminders")
}

// RunWorker works reminders alone, until the context ends. It broadcasts too:
// readers are connected to other instances.
func RunWorker(ctx context.Context, settings Settings, log *slog.Logger) error {
	settings.Worker = true
	s := &Server{settings: settings, log: log}
	defer s.closeStores()
	if err := s.openStores(ctx); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	stopBackground := s.startBackground(ctx)
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), settings.ShutdownTimeout)
	defer cancel()
	return stopBackground(deadline)
}
