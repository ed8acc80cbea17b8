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
	// outboxSize is how many entries may wait for Redis before the newest are
	// dropped; readers find those by their gap.
	outboxSize = 4096
	// publishBatch is how many go out in one round trip.
	publishBatch = 128
	// redisDeadline bounds each exchange with Redis.
	redisDeadline = time.Second
)

// Redis carries entries between instances: one pub/sub channel for each feed,
// subscribed to while the feed has readers here.
type Redis struct {
	client redis.UniversalClient
	pubsub *redis.PubSub
	log    *slog.Logger

	outbox chan broadcast
	// sending is how handing broadcasts to Redis goes; dropped counts those
	// that were not.
	sending outage
	dropped atomic.Int64

	mu sync.Mutex
	// wanted are the channels of feeds that have readers here.
	wanted map[string]Key
	// moved are the channels that may have to be subscribed to, or left.
	moved map[string]struct{}
	// nudge says that there are some.
	nudge chan struct{}
}

// broadcast is one entry on its way.
type broadcast struct {
	channel string
	wire    []byte
}

// NewRedis makes the broadcast over a client, which the caller closes.
func NewRedis(client redis.UniversalClient, log *slog.Logger) *Redis {
	return &Redis{
		client: client,
		pubsub: client.Subscribe(context.Background()),
		log:    log,
		outbox: make(chan broadcast, outboxSize),
		sending: outage{
			log:     log,
			failure: "events are not broadcast through Redis: other instances deliver them later",
			over:    "events are broadcast through Redis again",
		},
		wanted: map[string]Key{},
		moved:  map[string]struct{}{},
		nudge:  make(chan struct{}, 1),
	}
}

func (r *Redis) run(ctx context.Context, deliver func(Entry), suspect func(Key)) {
	var loops sync.WaitGroup
	loops.Go(func() { r.publishLoop(ctx) })
	loops.Go(func() { r.subscribeLoop(ctx) })
	loops.Go(func() { r.receiveLoop(deliver, suspect) })
	<-ctx.Done()
	// Ends the reader inside go-redis, which knows no context.
	_ = r.pubsub.Close()
	loops.Wait()
}

var errFull = errors.New("Redis does not keep up")

// publish never waits: Redis may be slow or gone, callers must not be.
func (r *Redis) publish(entry Entry) {
	select {
	case r.outbox <- broadcast{channel: channel(entry.Key), wire: entry.wire}:
	default:
		r.lost(1, errFull)
	}
}

// lost counts broadcasts that nobody will get. They are not tried again: later
// ones wait behind them, and readers find them sooner by their gap.
func (r *Redis) lost(broadcasts int, err error) {
	r.dropped.Add(int64(broadcasts))
	r.sending.failed(err)
}

// publishLoop sends what waits in the outbox, also what is left at the end:
// other instances would wait for it.
func (r *Redis) publishLoop(ctx context.Context) {
	for {
		select {
		case first := <-r.outbox:
			r.send(ctx, r.more(first))
		case <-ctx.Done():
			r.empty(ctx)
			return
		}
	}
}

func (r *Redis) empty(ctx context.Context) {
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisDeadline)
	defer cancel()
	for deadline.Err() == nil {
		select {
		case first := <-r.outbox:
			r.send(deadline, r.more(first))
		default:
			return
		}
	}
}

// more takes what waits in the outbox besides the first.
func (r *Redis) more(first broadcast) []broadcast {
	batch := []broadcast{first}
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
func (r *Redis) send(ctx context.Context, batch []broadcast) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisDeadline)
	defer cancel()
	commands, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, b := range batch {
			pipe.Publish(ctx, b.channel, b.wire)
		}
		return nil
	})
	if err == nil {
		r.sending.worked("dropped", r.dropped.Load())
		return
	}
	failed := 0
	for _, command := range commands {
		if command.Err() != nil {
			failed++
		}
	}
	r.lost(failed, err)
}
