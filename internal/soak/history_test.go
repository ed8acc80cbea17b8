package soak

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/pause"
)

// What was acknowledged is there and nothing else is, although backends are
// terminated, servers killed between a commit and its answer, PostgreSQL crashes,
// and connections are cut in the middle of commits.
//
//nolint:paralleltest // it has the machine to itself
func TestAHistoryHoldsWhateverFails(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for long")
	}
	w, cutters := newCutWorld(t)
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	h := startHistory(t, w)
	caused := breakThings(t, w, historyFaults(cutters), nil, rand.New(rand.NewPCG(seed, 1)), *soakTime/2)
	h.stop()
	for _, fault := range h.check() {
		t.Error(fault)
	}
	var reminders int
	w.read(`SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due'`, func() {}, &reminders)
	if h.acknowledged == 0 || h.refused == 0 || h.replayed == 0 || h.closed == 0 || reminders == 0 {
		t.Error("too little happened: the test proves little")
	}
	t.Logf("bookings %d; calls acknowledged %d, of them %d by a try after the commit; refused %d; tries without an answer %d; cancelled by closings %d; reminders %d",
		len(h.booked), h.acknowledged, h.replayed, h.refused, h.unanswered, h.closed, reminders)
	t.Logf("faults %v; commits cut %d", caused, cutters[0].done.Load()+cutters[1].done.Load())
}

// The check is able to fail: it finds a provider who is booked twice once nothing
// prevents that.
//
//nolint:paralleltest // as above
func TestTheHistoryDoesNotHoldWithoutItsConstraint(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	w, _ := newCutWorld(t)
	w.execute(`ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap`)
	for _, server := range w.servers {
		if !server.ready(t.Context()) {
			t.Fatal("a server did not get ready")
		}
	}
	h := startHistory(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), settleTime)
	defer cancel()
	// Many, since lives that have begun go on and cancel some.
	for twice := 0; twice < 10 && pause.For(ctx, 100*time.Millisecond); {
		w.read(`SELECT count(*) FROM (`+invariants[0].query+`) twice`, func() {}, &twice)
	}
	h.stop()
	found := h.check()
	for _, fault := range found {
		if strings.HasPrefix(fault, bookedTwice) {
			return
		}
	}
	t.Errorf("%d bookings without the constraint, and the check finds only %v", len(h.booked), found)
}

// newCutWorld is one whose servers reach PostgreSQL through a cutter each.
func newCutWorld(t *testing.T) (*world, [2]*cutter) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	w := emptyWorld(t)
	w.ownPostgres()
	var cutters [2]*cutter
	for i := range cutters {
		cutters[i] = newCutter(t, w.database)
		w.each[i] = []string{"DATABASE_URL=" + cutters[i].url(w.database)}
	}
	w.startServers()
	return w, cutters
}

// historyFaults are those that can come between a commit and its caller.
func historyFaults(cutters [2]*cutter) []fault {
	chosen := []fault{crashPostgres, killAtCommit(cutters)}
	for _, how := range cuts {
		chosen = append(chosen, cutCommits(cutters, how))
	}
	for _, one := range faults {
		if one.name == "terminate backends" || one.name == "kill a server" {
			chosen = append(chosen, one)
		}
	}
	return chosen
}

// crashPostgres is `pg_ctl stop -m immediate` and a start.
var crashPostgres = fault{name: "crash PostgreSQL", cause: func(_ context.Context, w *world, _ []*reader, _ *rand.Rand) {
	var data string
	w.read(`SHOW data_directory`, func() {}, &data)
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		w.t.Error(err)
		return
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGQUIT)
	}
	if err != nil {
		w.t.Error(err)
		return
	}
	<-w.cluster.Done()
	_ = w.cluster.Stop()
	w.startPostgres()
}}

// cutCommits cuts the next commits of both servers.
func cutCommits(cutters [2]*cutter, how cut) fault {
	return fault{name: "cut " + how.name, cause: func(ctx context.Context, _ *world, _ []*reader, _ *rand.Rand) {
		for range 10 {
			for _, c := range cutters {
				c.tell(how)
			}
			pause.For(ctx, 10*time.Millisecond)
		}
		for _, c := range cutters {
			c.forget()
		}
	}}
}

// killAtCommit kills a server once PostgreSQL has committed and before the server
// knows.
func killAtCommit(cutters [2]*cutter) fault {
	return fault{name: "kill a server at a commit", cause: func(ctx context.Context, w *world, _ []*reader, random *rand.Rand) {
		i := random.IntN(len(w.servers))
		killed := make(chan struct{})
		cutters[i].tell(cut{forward: true, await: true, then: func() { w.servers[i].kill(); close(killed) }})
		select {
		case <-killed:
			w.servers[i].start()
		case <-ctx.Done():
		}
	}}
}

// execute changes the database behind the servers' backs.
func (w *world) execute(statement string) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close(w.t.Context()) }()
	if _, err := conn.Exec(w.t.Context(), statement); err != nil {
		w.t.Fatal(err)
	}
}
