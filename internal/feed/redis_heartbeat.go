package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// heartbeatInterval is how often an instance makes sure of Redis.
	heartbeatInterval = 5 * time.Second
	// heartbeatDeadline is how long a heartbeat may take to come back, behind all
	// that is broadcast at that moment.
	heartbeatDeadline = 3 * time.Second
)

// pulse is what an instance knows of whether Redis carries broadcasts. It
// publishes a heartbeat on the channel and has to hear it. Nothing less shows all
// that can be wrong: a user who may not publish, or not subscribe (go-redis keeps
// that refusal to itself), a right that is taken away while the subscription
// stands, a connection that is dead in one direction.
type pulse struct {
	// message is this instance's heartbeat. It names no feed, so that the others
	// skip it.
	message string
	// heard and subscribed have room for one signal each.
	heard, subscribed  chan struct{}
	interval, deadline time.Duration

	mu sync.Mutex
	// fault is why broadcasts are not carried; nil while they are.
	fault error
	// said is what the log says of the fault.
	said string
	// recovered is how often a fault has ended.
	recovered int
}

var (
	errUnproven = errors.New("no heartbeat has come back yet")
	errUnheard  = errors.New("what is published does not come back")
)

func newPulse() pulse {
	return pulse{
		message: "\n\n" + rand.Text(),
		heard:   make(chan struct{}, 1), subscribed: make(chan struct{}, 1),
		interval: heartbeatInterval, deadline: heartbeatDeadline,
		fault: errUnproven,
	}
}

// Fault is why Redis does not carry broadcasts, as far as is known: a few
// seconds late at most. It is nil while it carries them.
func (r *Redis) Fault() error {
	r.pulse.mu.Lock()
	defer r.pulse.mu.Unlock()
	return r.pulse.fault
}

// heartbeatLoop makes sure of Redis in turn, and whenever the subscription has
// begun anew.
func (r *Redis) heartbeatLoop(ctx context.Context, pubsub *redis.PubSub, channel string) {
	for r.awaitHeartbeat(ctx) {
		began := r.recovered()
		err := r.heartbeat(ctx, channel)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			r.recover()
		default:
			r.fail(err, began)
			// Where it was SUBSCRIBE that was refused, nobody else sends it again.
			_ = pubsub.Subscribe(ctx, channel)
		}
	}
}

func (r *Redis) awaitHeartbeat(ctx context.Context) bool {
	timer := time.NewTimer(r.pulse.interval)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.pulse.subscribed:
	case <-ctx.Done():
		return false
	}
	return true
}

// heartbeat publishes one and waits for it.
func (r *Redis) heartbeat(ctx context.Context, channel string) error {
	waiting, cancel := context.WithTimeout(ctx, r.pulse.deadline)
	defer cancel()
	select {
	case <-r.pulse.heard: // of one that came too late
	default:
	}
	if err := r.client.Publish(waiting, channel, r.pulse.message).Err(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	select {
	case <-r.pulse.heard:
		return nil
	case <-waiting.Done():
		return r.whyUnheard(ctx, channel)
	}
}

// whyUnheard subscribes anew, by itself, to learn what go-redis keeps to itself.
func (r *Redis) whyUnheard(ctx context.Context, channel string) error {
	trial := r.client.Subscribe(ctx, channel)
	defer func() { _ = trial.Close() }()
	if _, err := trial.ReceiveTimeout(ctx, redisDeadline); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return errUnheard
}

// recovered is how often Redis has come to carry broadcasts again. Whoever may fail
// asks before he begins: see fail.
func (r *Redis) recovered() int {
	r.pulse.mu.Lock()
	defer r.pulse.mu.Unlock()
	return r.pulse.recovered
}

// fail notes why broadcasts are not carried and says it once: every event meets
// it. That Redis refuses is said also after that it could not be reached. What began
// before Redis recovered shows nothing of how it is now.
func (r *Redis) fail(err error, began int) {
	message := "Redis does not carry events: other instances deliver them within 15 seconds"
	if _, refused := errors.AsType[redis.Error](err); refused {
		message = "Redis refuses to carry events: other instances deliver them within 15 seconds"
	}
	p := &r.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	if began < p.recovered {
		return
	}
	p.fault = err
	if p.said != message {
		p.said = message
		r.log.Warn(message, "error", err)
	}
}

func (r *Redis) recover() {
	p := &r.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said != "" {
		r.log.Info("Redis carries events again", "dropped", r.dropped.Load())
	}
	if p.fault != nil {
		p.recovered++
	}
	p.fault, p.said = nil, ""
}
