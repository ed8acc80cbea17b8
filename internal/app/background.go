package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"bookings/internal/pause"
)

const (
	// schemaInterval is how often a worker looks whether its tables are there.
	schemaInterval = time.Second
	// startInterval is how long it waits before it tries to start again.
	startInterval = time.Second
)

// background is what works beside requests: broadcasts, and reminders where they
// are worked here.
type background struct {
	server *Server

	stopStarting, cutOff, stopBroadcasts context.CancelFunc
	start, broadcasts                    sync.WaitGroup
	// jobsEnded is closed when no job runs any more.
	jobsEnded chan struct{}
}

func (s *Server) startBackground(ctx context.Context) *background {
	ctx = context.WithoutCancel(ctx)
	b := &background{server: s, jobsEnded: make(chan struct{})}
	broadcasting, stopBroadcasts := context.WithCancel(ctx)
	starting, stopStarting := context.WithCancel(ctx)
	working, cutOff := context.WithCancel(ctx)
	b.stopBroadcasts, b.stopStarting, b.cutOff = stopBroadcasts, stopStarting, cutOff
	b.broadcasts.Go(func() { s.feeds.Run(broadcasting) })
	b.broadcasts.Go(func() { s.clock.Run(broadcasting) })
	if keys := s.jwks(); keys != nil {
		b.broadcasts.Go(func() { keys.Run(broadcasting) })
	}
	if s.settings.Worker {
		b.start.Go(func() { s.startWork(starting, working) })
	}
	return b
}

// stopFetching begins to end the jobs: those that run go on, no other is
// fetched. It returns at once. What is due meanwhile is worked elsewhere, or by
// the next start.
func (b *background) stopFetching(ctx context.Context) {
	b.stopStarting()
	go func() {
		defer close(b.jobsEnded)
		b.start.Wait()
		_ = b.server.jobs.Stop(context.WithoutCancel(ctx)) // fails as its context does
	}()
}

// stop ends jobs, then the broadcasts that they need.
func (b *background) stop(ctx context.Context, end shutdown) error {
	defer b.cutOff()
	err := b.endJobs(ctx, end)
	b.stopBroadcasts()
	b.broadcasts.Wait()
	return err
}

// endJobs waits for those that run, and cuts off what does not end in time: it is
// rolled back, and tried again elsewhere.
func (b *background) endJobs(ctx context.Context, end shutdown) error {
	patience, cancel := end.within(ctx, jobsShare)
	defer cancel()
	select {
	case <-b.jobsEnded:
		return nil
	case <-patience.Done():
	}
	b.cutOff()
	last, cancel := end.within(ctx, cutOffShare)
	defer cancel()
	select {
	case <-b.jobsEnded:
	case <-last.Done():
	}
	return errors.New("jobs did not end in time")
}

// startWork starts working reminders, once the schema is new enough. At the end
// of working the jobs are cut off, not finished: River's Stop lets them finish.
func (s *Server) startWork(ctx, working context.Context) {
	for s.health.checkSchema(ctx) != nil {
		if !pause.For(ctx, schemaInterval) {
			return
		}
	}
	// River takes a jump of its clock for time that has passed: it is set first.
	if err := s.clock.Measure(ctx); err != nil {
		s.log.Warn("cannot read PostgreSQL's clock: jobs go by this machine's until then", "error", err)
	}
	for {
		err := s.jobs.Start(working)
		if err == nil {
			s.log.Info("working reminders")
			return
		}
		s.log.Warn("cannot work reminders yet: trying again", "error", err)
		if !pause.For(ctx, startInterval) {
			return
		}
	}
}

// RunWorker works reminders alone, until the context ends. It broadcasts too:
// readers are connected to other instances.
func RunWorker(ctx context.Context, settings Settings, log *slog.Logger) error {
	settings.Worker = true
	s := &Server{settings: settings, log: log}
	defer s.closeStores()
	defer s.closeWatch(ctx)
	if err := s.startWorker(ctx); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	background := s.startBackground(ctx)
	<-ctx.Done()
	background.stopFetching(ctx)
	return background.stop(ctx, shutdown{began: time.Now(), most: settings.ShutdownTimeout})
}

// startWorker opens what a worker needs, and what shows how it does.
func (s *Server) startWorker(ctx context.Context) error {
	if err := s.openWatch(ctx); err != nil {
		return err
	}
	if err := s.openStores(ctx); err != nil {
		return err
	}
	if err := s.openAdmin(); err != nil {
		return err
	}
	return s.serveAdmin(ctx)
}
