package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how much garbage may gather before it is collected, at least, in
// bytes. By Go's own rule it is as much as is live: a server whose heap holds a few
// MiB collects so often that lists spent a sixth of their CPU on it. Of a heap that
// is larger than this, as with thousands of sockets, Go's rule holds.
const heapRoom = 16 << 20

// leaveRoom sees to that, anew after each collection. GOMEMLIMIT counts as ever.
func leaveRoom() {
	debug.SetGCPercent(gcPercent(liveHeap()))
	// What nothing points to is cleaned up by the next collection. It has a pointer,
	// or others could keep it alive: Go puts small objects without any together.
	runtime.AddCleanup(new(*byte), func(struct{}) { leaveRoom() }, struct{}{})
}

// gcPercent is how much may gather, in percent of what is live. Before the first
// collection nothing is known to live.
func gcPercent(live uint64) int {
	const goDefault = 100
	return int(max(goDefault, heapRoom*100/max(live, heapRoom/10)))
}

func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
