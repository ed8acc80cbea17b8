package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/pause"
)

const (
	// reminderLead is much longer than all steps ahead between two measurements
	// of PostgreSQL's clock, so that no start is stepped over, and shorter than
	// how far behind the clock gets: by its own clock, a server would take each
	// start for past when the reminder is due.
	reminderLead = 20 * time.Second
	stepBack     = -10 * time.Second
	stepAhead    = 2 * time.Second
)

// Reminders go by PostgreSQL's clock, however it steps, and although the servers
// measure it only now and then.
//
//nolint:paralleltest // it has the machine to itself
func TestEachReminderComesOnceWhileTheClockSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for long")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	w := emptyWorld(t)
	clock := startSteppingClock(t, w)
	w.startServers("DATABASE_URL="+w.database, "REMINDER_LEADS="+reminderLead.String())
	load := startBookingSoon(t, w, clock)
	readers := startReaders(t, w)
	// Four steps, not more for a longer soak: how far back the clock gets is
	// waited for in the end.
	step := fault{name: "step PostgreSQL's clock", cause: func(ctx context.Context, _ *world, _ []*reader, _ *rand.Rand) {
		clock.step()
		pause.For(ctx, 4*time.Second)
	}}
	caused := breakThings(t, w, []fault{step}, readers, rand.New(rand.NewPCG(0, 0)), 15*time.Second)
	load.stop()
	sent := w.awaitReminders()
	if sent == 0 {
		t.Fatal("nothing happened: the test proves nothing")
	}
	truth := w.feeds()
	for _, r := range readers {
		r.settle(r.wanted(truth))
		compare(t, r, r.wanted(truth))
	}
	t.Logf("%v; in the end %v off; reminders %d; bookings refused %d, the first: %v", caused,
		time.Duration(clock.ahead.Load()), sent, load.failed.Load(), load.first.Load())
}

// startBookingSoon makes bookings whose reminders are due in a moment, at a rate
// that reminders keep up with.
func startBookingSoon(t *testing.T, w *world, clock *steppingClock) *load {
	t.Helper()
	l := &load{world: w}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		for turn := 0; pause.For(ctx, 50*time.Millisecond); turn++ {
			server := bookingsv1connect.NewBookingServiceClient(client, "http://"+w.servers[turn%2].addr)
			start := clock.now().Add(reminderLead + 2*time.Second)
			created, err := server.CreateBooking(l.as(booking.RoleCustomer, customer(turn%customers))(), &bookingsv1.CreateBookingRequest{
				ProviderId: provider(turn % providers),
				StartTime:  timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Millisecond)),
			})
			l.count(ctx, "booking.created", created, err)
		}
	})
	l.stop = func() { cancel(); all.Wait() }
	t.Cleanup(l.stop)
	return l
}

// awaitReminders waits for all that are to come and returns how many there were.
// Each is to come once.
func (w *world) awaitReminders() (sent int) {
	w.t.Helper()
	const query = `
		SELECT reminder_state, count(*), sum((SELECT count(*) FROM booking_events e WHERE e.booking_id = b.id AND e.type = 'booking.reminder.due'))::bigint
		FROM bookings b GROUP BY reminder_state`
	ctx, cancel := context.WithTimeout(w.t.Context(), settleTime)
	defer cancel()
	for pause.For(ctx, 200*time.Millisecond) {
		var state string
		var bookings, events int
		found := map[string]int{}
		w.read(query, func() {
			found[state] = bookings
			if state == "SENT" && events != bookings {
				w.t.Errorf("%d bookings were reminded of by %d events", bookings, events)
			}
		}, &state, &bookings, &events)
		if found["SCHEDULED"] == 0 {
			if found["SKIPPED"] > 0 {
				w.t.Errorf("reminders that were skipped: %v", found)
			}
			return found["SENT"]
		}
	}
	w.t.Fatal("reminders that do not come")
	return 0
}

// steppingClock is PostgreSQL's, which differs from the machine's.
type steppingClock struct {
	t     *testing.T
	file  string
	steps int
	ahead atomic.Int64
}

// startSteppingClock starts w's PostgreSQL with a clock that steps.
func startSteppingClock(t *testing.T, w *world) *steppingClock {
	t.Helper()
	libraries, _ := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
	if len(libraries) == 0 {
		t.Skip("needs libfaketime")
	}
	c := &steppingClock{t: t, file: filepath.Join(w.folder, "clock")}
	c.write()
	w.ownPostgres() // it tells where its programs are
	var programs string
	w.read(`SELECT setting FROM pg_config WHERE name = 'BINDIR'`, func() {}, &programs)
	_ = w.cluster.Stop()
	t.Setenv("BOOKINGS_POSTGRES_BIN", c.wrap(w.folder, libraries[0], programs))
	w.startPostgres()
	return c
}

// wrap makes a folder of PostgreSQL's programs of which postgres sees our clock.
// What has passed is counted by another clock, which does not step.
func (c *steppingClock) wrap(folder, library, programs string) string {
	c.t.Helper()
	const script = `#!/bin/sh
export LD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
exec %s/postgres "$@"
`
	wrapped := filepath.Join(folder, "programs")
	if err := os.Mkdir(wrapped, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(programs, "initdb"), filepath.Join(wrapped, "initdb")); err != nil {
		c.t.Fatal(err)
	}
	text := fmt.Sprintf(script, library, c.file, programs)
	if err := os.WriteFile(filepath.Join(wrapped, "postgres"), []byte(text), 0o755); err != nil {
		c.t.Fatal(err)
	}
	return wrapped
}

func (c *steppingClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// step goes back twice, then ahead a little, and so on.
func (c *steppingClock) step() {
	c.steps++
	if c.steps%3 == 0 {
		c.ahead.Add(int64(stepAhead))
	} else {
		c.ahead.Add(int64(stepBack))
	}
	c.write()
}

// write tells PostgreSQL at once: it reads the file for each look at its clock.
func (c *steppingClock) write() {
	c.t.Helper()
	text := fmt.Sprintf("%+d\n", time.Duration(c.ahead.Load())/time.Second)
	if err := os.WriteFile(c.file+".new", []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		c.t.Fatal(err)
	}
}
