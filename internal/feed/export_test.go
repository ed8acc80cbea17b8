package feed

import "time"

// The numbers that tests have to go beyond.
const (
	RingSize = ringSize
	PageSize = pageSize
	Outbox   = outboxSize
)

// SetCheckInterval is for a hub that does not run yet.
func (h *Hub) SetCheckInterval(d time.Duration) { h.interval = d }

// Kept is how many entries the hub holds of a feed, and whether it knows it.
func (h *Hub) Kept(key Key) (entries int, known bool) {
	topic := h.topic(key)
	if topic == nil {
		return 0, false
	}
	topic.mu.Lock()
	defer topic.mu.Unlock()
	return len(topic.ring), true
}

// Held is how many entries the subscription holds on to.
func (s *Subscription) Held() int { return len(s.page) }
