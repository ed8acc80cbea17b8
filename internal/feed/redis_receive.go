package feed

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// receiveSize is how many messages may wait for the hub. Taking one is quick,
	// so that go-redis never has to drop any.
	receiveSize = 1000
	// subscribePause is how long to wait before subscribing is tried again.
	subscribePause = 500 * time.Millisecond
)

func channel(key Key) string { return "bookings:" + key.Source() }

// join and leave only note what is wanted: they never wait for Redis.
func (r *Redis) join(key Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted[channel(key)] = key
	r.move(channel(key))
}

func (r *Redis) leave(key Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.wanted, channel(key))
	r.move(channel(key))
}

func (r *Redis) move(names ...string) {
	for _, name := range names {
		r.moved[name] = struct{}{}
	}
	select {
	case r.nudge <- struct{}{}:
	default: // it has been said already
	}
}

// subscribeLoop makes the subscriptions follow what is wanted. It alone may
// wait for a Redis that hangs.
func (r *Redis) subscribeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.nudge:
		}
		if r.follow(ctx) != nil {
			wait(ctx, subscribePause)
		}
	}
}

// follow subscribes to the channels that are wanted and leaves the others, of
// those that have moved. Doing so twice is harmless, so what fails is done
// again: go-redis does not always remember it, and a lost SUBSCRIBE would leave
// the feed to the regular check.
func (r *Redis) follow(ctx context.Context) error {
	joined, left := r.takeMoved()
	var failed []string
	var joinErr, leaveErr error
	if len(joined) > 0 {
		if joinErr = r.pubsub.Subscribe(ctx, joined...); joinErr != nil {
			failed = append(failed, joined...)
		}
	}
	if len(left) > 0 {
		if leaveErr = r.pubsub.Unsubscribe(ctx, left...); leaveErr != nil {
			failed = append(failed, left...)
		}
	}
	if len(failed) > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.move(failed...)
	}
	return errors.Join(joinErr, leaveErr)
}

func (r *Redis) takeMoved() (joined, left []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range r.moved {
		if _, ok := r.wanted[name]; ok {
			joined = append(joined, name)
		} else {
			left = append(left, name)
		}
	}
	r.moved = map[string]struct{}{}
	return joined, left
}

// receiveLoop hands on what arrives, until the subscription is closed. A
// channel's "subscribe" comes when the subscription begins and again after each
// reconnect; what was broadcast before it is lost to us, so the feed is suspect.
func (r *Redis) receiveLoop(deliver func(Entry), suspect func(Key)) {
	for message := range r.pubsub.ChannelWithSubscriptions(redis.WithChannelSize(receiveSize)) {
		switch message := message.(type) {
		case *redis.Message:
			entry, err := parseEntry([]byte(message.Payload))
			if err != nil {
				r.log.Warn("cannot read a broadcast", "error", err)
				continue
			}
			deliver(entry)
		case *redis.Subscription:
			if key, ok := r.wants(message); ok {
				suspect(key)
			}
		}
	}
}

func (r *Redis) wants(subscription *redis.Subscription) (Key, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, ok := r.wanted[subscription.Channel]
	return key, ok && subscription.Kind == "subscribe"
}
