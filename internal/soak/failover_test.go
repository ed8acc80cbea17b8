package soak

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"testing"

	"bookings/internal/pgtest"
)

// The primary crashes among all the other faults, and its standby takes over.
// The standby is a synchronous one: PostgreSQL answers no commit that the standby
// lacks, and shows none to readers, so that nothing may be lost.
//
//nolint:paralleltest // it has the machine to itself
func TestAFailoverLosesNoChangeAndNoEvent(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for long")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	pair := pgtest.NewPair(t)
	pair.Synchronise()
	w := emptyWorld(t)
	w.database = pair.URL()
	w.startServers("DATABASE_URL=" + w.database)
	soak(t, w, append(faults, failover(pair)))
}

func failover(pair *pgtest.Pair) fault {
	return fault{name: "fail over", once: true, cause: func(context.Context, *world, []*reader, *rand.Rand) {
		// A backend that is terminated waits for the standby no more, and its commit
		// is seen: an earlier fault's are over there first.
		pair.CatchUp()
		pair.Crash()
		pair.Promote()
	}}
}
