package feed

import (
	"context"
	"time"

	"bookings/gen/sqlc"
)

// The numbers that tests have to go beyond.
const (
	RingSize   = ringSize
	PageSize   = pageSize
	Outbox     = outboxSize
	MaxReading = maxReading
)

// SetCheckInterval is for a hub that does not run yet.
func (h *Hub) SetCheckInterval(d time.Duration) { h.interval = d }

// Kept is how many entries the hub holds of a feed, and whether it knows it.
func (h *Hub) Kept(key Key) (entries int, known bool) {
	local := h.localFeed(key)
	if local == nil {
		return 0, false
	}
	local.mu.Lock()
	defer local.mu.Unlock()
	return len(local.ring), true
}

// Step makes one of the sequencer's.
func (h *Hub) Step(ctx context.Context) (int, error) { return h.step(ctx) }

// Held is how many entries the subscription holds on to.
func (s *Subscription) Held() int { return len(s.page) }

// ReadChannel is the name of the installation's Redis channel.
func ReadChannel(ctx context.Context, db sqlc.DBTX) (string, error) { return readChannel(ctx, db) }

// Hurry makes heartbeats quick; it is for a hub that does not run yet.
func (r *Redis) Hurry() { r.pulse.interval, r.pulse.deadline = 100*time.Millisecond, time.Second }
