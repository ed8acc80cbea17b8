package feed

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// receiveSize is how many messages may wait for the hub. Taking one is quick, so
// that go-redis never has to drop any.
const receiveSize = 1000

func channel(key Key) string { return "bookings:" + key.Source() }

func (r *Redis) join(key Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted[channel(key)] = key
	r.nudge()
}

func (r *Redis) leave(key Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.wanted, channel(key))
	r.nudge()
}

func (r *Redis) nudge() {
	select {
	case r.moved <- struct{}{}:
	default: // a nudge is waiting already
	}
}

// subscribeLoop makes the subscriptions follow what is wanted. It alone may
// wait for a Redis that hangs.
func (r *Redis) subscribeLoop(ctx context.Context) {
	subscribed := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.moved:
			r.subscribe(ctx, subscribed)
		}
	}
}

// subscribe brings the subscriptions up to date. An error needs no care: the
// channels are subscribed to when go-redis connects again.
func (r *Redis) subscribe(ctx context.Context, subscribed map[string]bool) {
	joined, left := r.difference(subscribed)
	if len(joined) > 0 {
		_ = r.pubsub.Subscribe(ctx, joined...)
	}
	if len(left) > 0 {
		_ = r.pubsub.Unsubscribe(ctx, left...)
	}
}

func (r *Redis) difference(subscribed map[string]bool) (joined, left []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range r.wanted {
		if !subscribed[name] {
			subscribed[name] = true
			joined = append(joined, name)
		}
	}
	for name := range subscribed {
		if _, ok := r.wanted[name]; !ok {
			delete(subscribed, name)
			left = append(left, name)
		}
	}
	return joined, left
}

// receiveLoop hands on what arrives. A channel's "subscribe" comes when the
// subscription begins and again after each reconnect; what was broadcast before
// it is lost to us, so the feed is suspect.
func (r *Redis) receiveLoop(ctx context.Context, deliver func(Entry), suspect func(Key)) {
	arrived := r.pubsub.ChannelWithSubscriptions(redis.WithChannelSize(receiveSize))
	for {
		select {
		case <-ctx.Done():
			return
		case message, ok := <-arrived:
			if !ok {
				return
			}
			r.receive(message, deliver, suspect)
		}
	}
}

func (r *Redis) receive(message any, deliver func(Entry), suspect func(Key)) {
	switch message := message.(type) {
	case *redis.Message:
		entry, err := unmarshal([]byte(message.Payload))
		if err != nil {
			r.log.Warn("cannot read a broadcast", "error", err)
			return
		}
		deliver(entry)
	case *redis.Subscription:
		if message.Kind != "subscribe" {
			return
		}
		r.mu.Lock()
		key, ok := r.wanted[message.Channel]
		r.mu.Unlock()
		if ok {
			suspect(key)
		}
	}
}
