package feed

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"bookings/internal/pause"
)

const (
	// receiveSize is how many messages may wait for the hub. Taking one is quick,
	// so that go-redis never has to drop any.
	receiveSize = 1000
	// subscribePause is how long to wait before subscribing is tried again.
	subscribePause = 500 * time.Millisecond
)

// subscribeLoop hands on what arrives, until the context ends.
func (r *Redis) subscribeLoop(ctx context.Context, pubsub *redis.PubSub, channel string, receive func(string), subscribed func()) {
	if !r.subscribe(ctx, pubsub, channel) {
		return
	}
	for message := range pubsub.ChannelWithSubscriptions(redis.WithChannelSize(receiveSize)) {
		switch message := message.(type) {
		case *redis.Message:
			if message.Payload == r.pulse.message {
				signal(r.pulse.heard)
				continue
			}
			receive(message.Payload)
		case *redis.Subscription:
			// It comes when the subscription begins and again after each reconnect. What
			// was broadcast before it is lost to us, and no later broadcast need show it.
			subscribed()
			signal(r.pulse.subscribed)
		}
	}
}

// subscribe sends SUBSCRIBE until it has left without an error. From there on
// go-redis sends it again on each new connection; where the first one fails on a
// connection that is just being replaced, it may not. Whether Redis has accepted
// it shows by the heartbeat.
func (r *Redis) subscribe(ctx context.Context, pubsub *redis.PubSub, channel string) bool {
	for {
		began := r.recovered()
		err := pubsub.Subscribe(ctx, channel)
		if err == nil {
			return true
		}
		if !pause.For(ctx, subscribePause) {
			return false
		}
		r.fail(err, began)
	}
}
