package soak

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"bookings/internal/pgtest"
)

var (
	soakTime = flag.Duration("soak.time", 15*time.Second, "how long to break things")
	soakSeed = flag.Uint64("soak.seed", 0, "the seed of what is broken when; 0: any")
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// settleTime bounds how long the readers may need to catch up once nothing is
// broken any more. It is no measure of speed.
const settleTime = 2 * time.Minute

//nolint:paralleltest // it has the machine to itself
func TestEachReaderGetsEachEntryOnceInOrderWhateverFails(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for long")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	soak(t, newWorld(t), append(faults, restartPostgres))
}

// soak breaks things under load and readers. In the end each reader has its feed,
// and no change that was answered is lost.
func soak(t *testing.T, w *world, faults []fault) {
	t.Helper()
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	load := startLoad(t, w, &http.Transport{})
	readers := startReaders(t, w)
	caused := breakThings(t, w, faults, readers, rand.New(rand.NewPCG(seed, 0)), *soakTime)
	load.stop()

	for _, lost := range w.lost(load.answered) {
		t.Errorf("answered and lost: %v", lost)
	}
	truth := w.feeds()
	longest := time.Duration(0)
	for _, r := range readers {
		longest = max(longest, r.settle(r.wanted(truth)))
	}
	entries, records := 0, 0
	for _, r := range readers {
		compare(t, r, r.wanted(truth))
		records += len(r.seen())
	}
	for _, feed := range truth {
		entries += len(feed)
	}
	if entries == 0 || load.done.Load() == 0 {
		t.Fatal("nothing happened: the test proves nothing")
	}
	t.Logf("changes %d (refused or failed: %d), feed entries %d, entries received %d, reconnects %d",
		load.done.Load(), load.failed.Load(), entries, records, reconnects(readers))
	t.Logf("faults %v; pages read from PostgreSQL %d; longest delay %s",
		caused, w.pages.Load(), longest.Round(time.Millisecond))
}

// entry is one entry of a feed as the test compares it.
type entry struct {
	sequence int64
	id       string
	kind     string
}

// compare fails the test unless the record is the feed: same entries, same
// order, each once.
func compare(t *testing.T, r *reader, feed []entry) {
	t.Helper()
	if fault := difference(r.seen(), feed); fault != "" {
		t.Errorf("%s of %s: %s", r.kind, r.feed, fault)
	}
}

// TestTheCheckerFindsWhatIsWrong: a record with a hole, a double or two entries
// swapped is no feed.
func TestTheCheckerFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	feed := []entry{{1, "a", "x"}, {2, "b", "x"}, {3, "c", "x"}}
	for name, record := range map[string][]entry{
		"hole":    {{1, "a", "x"}, {3, "c", "x"}},
		"double":  {{1, "a", "x"}, {2, "b", "x"}, {2, "b", "x"}, {3, "c", "x"}},
		"swapped": {{1, "a", "x"}, {3, "c", "x"}, {2, "b", "x"}},
		"short":   {{1, "a", "x"}, {2, "b", "x"}},
		"long":    {{1, "a", "x"}, {2, "b", "x"}, {3, "c", "x"}, {4, "d", "x"}},
		"another": {{1, "a", "x"}, {2, "x", "x"}, {3, "c", "x"}},
		"type":    {{1, "a", "x"}, {2, "b", "y"}, {3, "c", "x"}},
	} {
		if difference(record, feed) == "" {
			t.Errorf("a record with a fault passes: %s", name)
		}
	}
	if fault := difference(feed, feed); fault != "" {
		t.Errorf("a good record does not pass: %s", fault)
	}
}
