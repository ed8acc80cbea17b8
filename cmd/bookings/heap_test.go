package main

import (
	"runtime"
	"runtime/metrics"
	"testing"

	"bookings/internal/pgtest"
)

func TestASmallHeapHasRoomAndALargeOneGoesByGosRule(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: 1000, heapRoom / 4: 400, heapRoom: 100, heapRoom + 1: 100, 1 << 40: 100} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes: %d %%, want %d", live, got, want)
		}
	}
}

// The percentage follows the heap, up and down.
func TestTheRoomFollowsTheHeap(t *testing.T) {
	t.Parallel()
	percent := func() uint64 {
		runtime.GC()
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	leaveRoom()
	held := make([]byte, 2*heapRoom)
	pgtest.Eventually(t, "a large heap has no room", func() bool { return percent() == 100 })
	runtime.KeepAlive(held)
	pgtest.Eventually(t, "a small heap has room", func() bool { return percent() > 100 })
}
