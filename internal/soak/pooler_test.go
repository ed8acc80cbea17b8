package soak

import (
	"os/exec"
	"testing"

	"bookings/internal/pgtest"
)

//nolint:paralleltest // it has the machine to itself
func TestEachReaderGetsEachEntryOnceBehindAPooler(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for long")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	w := emptyWorld(t)
	w.ownPostgres()
	w.startServers("DATABASE_URL="+pgtest.Pooled(t, w.database), "DATABASE_POOLER=true")
	soak(t, w, append(faults, restartPostgres))
}
