package app

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// briefly is short, so that a reader of nothing that comes has a place, too.
const briefly = 50 * time.Millisecond

// common, lost and anew are how many bookings each of two histories has.
const (
	common = 3 // in both
	lost   = 2 // in the one that readers have followed
	anew   = 2 // in the one that takes its place
)

// A restore of the database from an older copy, with as many bookings since as
// were lost: no number tells.
func TestEveryReaderIsToldOfARestore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts two servers of PostgreSQL")
	}
	pair := pgtest.NewPair(t)
	proxy, through := newProxy(t, pair.Primary())
	i := start(t, idle(through))
	readers, fork := followAll(i)
	pair.CatchUp()
	pair.Sever()
	pair.Promote()
	bookAll(i, common, lost)
	awaitPlace(i, readers, common+lost)
	restored := start(t, func(s *Settings) { s.DatabaseURL = pair.Standby() })
	bookAll(restored, common+lost, anew)
	awaitHead(restored, common+anew)
	proxy.leadTo(t, pair.Standby())
	checkTold(i, readers)
	checkResumption(i, fork)
}

// A failover to a standby that lacks the last commits.
func TestEveryReaderIsToldOfAFailoverThatLosesCommits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts two servers of PostgreSQL")
	}
	pair := pgtest.NewPair(t)
	i := start(t, idle(pair.URL()))
	readers, fork := followAll(i)
	pair.CatchUp()
	pair.Sever()
	bookAll(i, common, lost)
	awaitPlace(i, readers, common+lost)
	pair.Crash()
	pair.Promote()
	checkTold(i, readers)
	bookAll(i, common+lost, anew)
	awaitHead(i, common+anew)
	checkResumption(i, fork)
}

// idle is an instance on a database that works nothing there.
func idle(url string) func(*Settings) {
	return func(s *Settings) { s.DatabaseURL, s.Worker, s.Silence = url, false, briefly }
}

// bookAll books so often, each an hour after the one before.
func bookAll(i *instance, hour, n int) {
	i.t.Helper()
	for ; n > 0; n, hour = n-1, hour+1 {
		i.awaitf(func() bool { return i.tryBook("cara", hour) == "OK" }, "a booking of hour %d", hour)
	}
}

// followAll begins one reader of each kind. They read what both histories have,
// and fork is where each is then.
func followAll(i *instance) (readers []*follower, fork map[string]feed.Point) {
	i.t.Helper()
	readers, fork = newFollowers(), map[string]feed.Point{}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	i.t.Cleanup(func() { cancel(); running.Wait() })
	for _, r := range readers {
		running.Go(func() { r.run(ctx, i, feed.Point{}) })
	}
	bookAll(i, 0, common)
	awaitPlace(i, readers, common)
	for _, r := range readers {
		fork[r.name], _ = r.state()
	}
	return readers, fork
}

// awaitPlace waits until each reader has got so far.
func awaitPlace(i *instance, readers []*follower, sequence int64) {
	i.t.Helper()
	for _, r := range readers {
		i.awaitf(func() bool {
			last, err := r.state()
			return last.Sequence == sequence && last.ID != "" && err == nil
		}, "entry %d for %s", sequence, r.name)
	}
}

// awaitHead waits until the feed of everything has so many entries.
func awaitHead(i *instance, head int64) {
	i.t.Helper()
	i.awaitf(func() bool {
		var found int64
		err := i.pool.QueryRow(i.t.Context(), "SELECT head FROM feeds WHERE role = 'all'").Scan(&found)
		return err == nil && found == head
	}, "head %d", head)
}

// checkTold waits until each reader has been told, and asks again for what
// follows on the last that it was given.
func checkTold(i *instance, readers []*follower) {
	i.t.Helper()
	for _, r := range readers {
		var last feed.Point
		var err error
		pgtest.Eventually(i.t, "the end of "+r.name, func() bool { last, err = r.state(); return err != nil })
		if !errors.Is(err, errOtherHistory) || last.Sequence != common+lost {
			i.t.Errorf("%s ended at %v with %v", r.name, last, err)
		}
		if point, err := firstAfter(i, r, last); !errors.Is(err, errOtherHistory) {
			i.t.Errorf("%s goes on after %v with %v, %v", r.name, last, point, err)
		}
	}
}

// checkResumption has readers go on after what both histories have.
func checkResumption(i *instance, fork map[string]feed.Point) {
	i.t.Helper()
	again := newFollowers()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait() }()
	for _, r := range again {
		running.Go(func() { r.run(ctx, i, fork[r.name]) })
	}
	awaitPlace(i, again, common+anew)
}

// firstAfter is what a reader is given first after a point.
func firstAfter(i *instance, r *follower, after feed.Point) (feed.Point, error) {
	ctx, cancel := context.WithCancel(i.t.Context())
	defer cancel()
	next, err := r.open(ctx, i, after)
	if err != nil {
		return feed.Point{}, err
	}
	return next()
}
