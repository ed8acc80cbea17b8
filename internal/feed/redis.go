package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
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
	outbox chan Entry
	log    *slog.Logger

	mu sync.Mutex
	// wanted are the channels of feeds that have readers here.
	wanted map[string]Key
	// moved says that wanted has changed.
	moved chan struct{}
}

// NewRedis makes the broadcast over a client, which the caller closes.
func NewRedis(client redis.UniversalClient, log *slog.Logger) *Redis {
	return &Redis{
		client: client,
		pubsub: client.Subscribe(context.Background()),
		outbox: make(chan Entry, outboxSize),
		wanted: map[string]Key{},
		moved:  make(chan struct{}, 1),
		log:    log,
	}
}

func (r *Redis) run(ctx context.Context, deliver func(Entry), suspect func(Key)) {
	var loops sync.WaitGroup
	loops.Go(func() { r.publishLoop(ctx) })
	loops.Go(func() { r.subscribeLoop(ctx) })
	loops.Go(func() { r.receiveLoop(ctx, deliver, suspect) })
	<-ctx.Done()
	// Ends the reader inside go-redis, which knows no context.
	_ = r.pubsub.Close()
	loops.Wait()
}

// publish never waits: Redis may be slow or gone, callers must not be.
func (r *Redis) publish(entry Entry) {
	select {
	case r.outbox <- entry:
	default:
		r.log.Warn("dropped a broadcast: Redis does not keep up", "feed", entry.Key.Source(), "sequence", entry.Sequence)
	}
}

func (r *Redis) publishLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case entry := <-r.outbox:
			r.send(ctx, r.more(entry))
		}
	}
}

// more takes what waits in the outbox besides the first.
func (r *Redis) more(first Entry) []Entry {
	entries := []Entry{first}
	for len(entries) < publishBatch {
		select {
		case entry := <-r.outbox:
			entries = append(entries, entry)
		default:
			return entries
		}
	}
	return entries
}

func (r *Redis) send(ctx context.Context, entries []Entry) {
	ctx, cancel := context.WithTimeout(ctx, redisDeadline)
	defer cancel()
	_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, entry := range entries {
			message, err := entry.marshal()
			if err != nil {
				return err
			}
			pipe.Publish(ctx, channel(entry.Key), message)
		}
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.Warn("cannot broadcast through Redis", "entries", len(entries), "error", err)
	}
}
