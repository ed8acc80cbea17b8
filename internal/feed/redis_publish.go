package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// outboxSize is how many broadcasts may wait for Redis before the newest are
	// dropped; readers find those by their gap.
	outboxSize = 4096
	// publishBatch is how many go out in one round trip.
	publishBatch = 128
	// redisDeadline bounds each exchange with Redis.
	redisDeadline = time.Second
)

// Redis carries events between instances: one message for each event, on the
// one pub/sub channel of the installation. An instance hears of all events, also
// of those that no reader of its own waits for, and skips them unparsed: half a
// microsecond each. A channel for each feed would spare it that, and have it
// join and leave channels as readers come and go, which may fail, be late, or be
// forgotten over a lost connection.
type Redis struct {
	client redis.UniversalClient
	log    *slog.Logger

	// channel is the name of the one that is used, once it is known.
	channel atomic.Pointer[string]
	outbox  chan []byte
	// dropped counts broadcasts that were not handed to Redis.
	dropped atomic.Int64
	pulse   pulse
}

// NewRedis makes the broadcast over a client, which the caller closes.
func NewRedis(client redis.UniversalClient, log *slog.Logger) *Redis {
	return &Redis{
		client: client, log: log,
		outbox: make(chan []byte, outboxSize),
		pulse:  newPulse(),
	}
}

// Channel is the name of the installation's channel, which no other installation
// has; empty until PostgreSQL has said it.
func (r *Redis) Channel() string {
	if channel := r.channel.Load(); channel != nil {
		return *channel
	}
	return ""
}

// run publishes and subscribes on a channel until the context ends. receive is
// told each message, subscribed whenever the subscription begins, also anew.
func (r *Redis) run(ctx context.Context, channel string, receive func(string), subscribed func()) {
	r.channel.Store(&channel)
	pubsub := r.client.Subscribe(ctx) // to nothing yet
	// Ends the reader inside go-redis, which knows no context.
	stop := context.AfterFunc(ctx, func() { _ = pubsub.Close() })
	defer stop()
	var loops sync.WaitGroup
	loops.Go(func() { r.publishLoop(ctx, channel) })
	loops.Go(func() { r.subscribeLoop(ctx, pubsub, channel, receive, subscribed) })
	loops.Go(func() { r.heartbeatLoop(ctx, pubsub, channel) })
	loops.Wait()
}

var errFull = errors.New("Redis does not keep up")

// publish never waits: Redis may be slow or gone, callers must not be.
func (r *Redis) publish(message []byte) {
	select {
	case r.outbox <- message:
	default:
		r.lose(1, errFull, r.recovered())
	}
}

// lose counts broadcasts that nobody will get. They are not tried again: later
// ones wait behind them, and readers find them sooner by their gap.
func (r *Redis) lose(messages int, err error, began int) {
	r.dropped.Add(int64(messages))
	r.fail(err, began)
}

// publishLoop sends what waits in the outbox, also what is left at the end:
// other instances would wait for it.
func (r *Redis) publishLoop(ctx context.Context, channel string) {
	for {
		select {
		case first := <-r.outbox:
			r.send(ctx, channel, r.more(first))
		case <-ctx.Done():
			r.empty(ctx, channel)
			return
		}
	}
}

func (r *Redis) empty(ctx context.Context, channel string) {
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisDeadline)
	defer cancel()
	for deadline.Err() == nil {
		select {
		case first := <-r.outbox:
			r.send(deadline, channel, r.more(first))
		default:
			return
		}
	}
}

// more takes what waits in the outbox besides the first.
func (r *Redis) more(first []byte) [][]byte {
	batch := [][]byte{first}
	for len(batch) < publishBatch {
		select {
		case next := <-r.outbox:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// send is not cut short by the end of the context: the batch is out of the box.
func (r *Redis) send(ctx context.Context, channel string, batch [][]byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisDeadline)
	defer cancel()
	began := r.recovered()
	commands, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, message := range batch {
			pipe.Publish(ctx, channel, message)
		}
		return nil
	})
	if err == nil {
		return
	}
	failed := 0
	for _, command := range commands {
		if command.Err() != nil {
			failed++
		}
	}
	r.lose(failed, err, began)
}
