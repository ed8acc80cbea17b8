package feed_test

import (
	"context"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bookings/internal/feed"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// beating is a hub whose heartbeats are quick.
type beating struct {
	hub
	redis *feed.Redis
}

func startBeating(t *testing.T, pool *pgxpool.Pool, client redis.UniversalClient) beating {
	t.Helper()
	log := &log{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b := beating{redis: feed.NewRedis(client, logger)}
	b.redis.Hurry()
	b.hub = hub{Hub: feed.NewHub(pool, b.redis, logger), log: log}
	b.SetCheckInterval(never)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	b.stop = func() { cancel(); running.Wait() }
	t.Cleanup(b.stop)
	return b
}

// wantsFault waits for a fault that says a text; none where that is empty.
func (b beating) wantsFault(t *testing.T, says string) {
	t.Helper()
	pgtest.Eventually(t, "fault "+says, func() bool {
		fault := b.redis.Fault()
		return fault == nil && says == "" || fault != nil && says != "" && strings.Contains(fault.Error(), says)
	})
}

// allow sets the rights of a user, in place of those it had. All is allowed but
// what the rules say.
func allow(t *testing.T, server *redistest.Server, rules ...string) {
	t.Helper()
	args := []any{"ACL", "SETUSER", "limited", "reset", "on", ">password", "~*", "&*", "+@all"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := server.Client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// limited is a client of that user.
func limited(t *testing.T, server *redistest.Server) *redis.Client {
	t.Helper()
	options := server.Options()
	options.Username, options.Password = "limited", "password"
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

var publishCalls = regexp.MustCompile(`cmdstat_publish:calls=(\d+).*rejected_calls=(\d+)`)

// published is how often somebody published, or was refused to.
func published(t *testing.T, server *redistest.Server) (n int) {
	t.Helper()
	stats, err := server.Client().Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range publishCalls.FindStringSubmatch(stats) {
		calls, _ := strconv.Atoi(number) // the first is the whole match
		n += calls
	}
	return n
}

// receiveEvent passes over heartbeats, and over entries of the feed of everything,
// which are broadcast once more, a moment later.
func receiveEvent(ctx context.Context, subscription *redis.PubSub) (*redis.Message, error) {
	for {
		message, err := subscription.ReceiveMessage(ctx)
		if err != nil || !strings.HasPrefix(message.Payload, "\n") && !strings.HasPrefix(message.Payload, feed.All.Source()) {
			return message, err
		}
	}
}

// refusals are rights without which Redis carries nothing, or nothing to us.
var refusals = map[string]struct {
	rules []string
	says  string
}{
	"no publishing":   {[]string{"-publish"}, "publish: NOPERM"},
	"no subscribing":  {[]string{"-subscribe"}, "subscribe: NOPERM"},
	"no channel":      {[]string{"resetchannels"}, "NOPERM"},
	"another channel": {[]string{"resetchannels", "&another:*"}, "NOPERM"},
}

func TestARedisThatRefusesIsToldAndSaidOnce(t *testing.T) {
	t.Parallel()
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, pool := newWriter(t)
			server := redistest.Start(t)
			allow(t, server, refusal.rules...)
			h := startBeating(t, pool, limited(t, server))
			h.wantsFault(t, refusal.says)
			for range 50 {
				h.Publish(w.Write())
			}
			seen := published(t, server)
			pgtest.Eventually(t, "it is tried again", func() bool { return published(t, server) > seen+5 })
			if lines := h.log.count("level=WARN"); lines != 1 || h.log.count("NOPERM") != 1 {
				t.Errorf("%d warnings about one refusal", lines)
			}

			// The right is given: nobody has to restart anything.
			allow(t, server)
			h.wantsFault(t, "")
			r := follow(t, h.hub, w.Provider, nil)
			awaitBroadcast(t, startHub(t, pool, server, never), r, w.Write)
			if lines := h.log.count("carries events again"); lines != 1 {
				t.Errorf("%d lines about its end", lines)
			}
		})
	}
}

// holdFirst is a client's hook that keeps the answer to the first batch until it is let go.
type holdFirst struct {
	first    sync.Once
	answered chan error
	letGo    chan struct{}
}

func (*holdFirst) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*holdFirst) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h *holdFirst) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		err := next(ctx, commands)
		if commands[0].Name() == "publish" { // and no handshake
			h.first.Do(func() {
				h.answered <- err
				<-h.letGo
			})
		}
		return err
	}
}

func TestARefusalFromBeforeTheRightWasGivenIsNotToldAfter(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	allow(t, server, "-publish")
	client, held := limited(t, server), &holdFirst{answered: make(chan error, 1), letGo: make(chan struct{})}
	client.AddHook(held)
	h := startBeating(t, pool, client)
	letGo := sync.OnceFunc(func() { close(held.letGo) })
	t.Cleanup(letGo) // or the hub would not end
	h.wantsFault(t, "publish: NOPERM")
	h.Publish(w.Write())
	if err := <-held.answered; err == nil {
		t.Fatal("nothing was refused")
	}
	allow(t, server)
	h.wantsFault(t, "")
	letGo()
	// The next batch goes out when the one that was held has been told.
	awaitBroadcast(t, h.hub, follow(t, startHub(t, pool, server, never), w.Provider, nil), w.Write)
	if fault, lines := h.redis.Fault(), h.log.count("Redis refuses"); fault != nil || lines != 1 {
		t.Errorf("the fault is %v, and the log said so %d times", fault, lines)
	}
}

func TestARightThatIsTakenAwayIsNoticed(t *testing.T) {
	t.Parallel()
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, pool := newWriter(t)
			server := redistest.Start(t)
			allow(t, server)
			h := startBeating(t, pool, limited(t, server))
			h.wantsFault(t, "")
			allow(t, server, refusal.rules...)
			killPubSub(t, server) // a subscription that stands is not asked again
			h.wantsFault(t, refusal.says)
			allow(t, server)
			h.wantsFault(t, "")
		})
	}
}

// What an operator gives who gives no more than is needed.
func TestAUserWithNoMoreThanPubSubSuffices(t *testing.T) {
	t.Parallel()
	_, pool := newWriter(t)
	server := redistest.Start(t)
	allow(t, server, "resetkeys", "resetchannels", "&bookings:*", "-@all", "+publish", "+subscribe", "+ping")
	startBeating(t, pool, limited(t, server)).wantsFault(t, "")
}

func TestAReplicaThatTakesNoWritesSuffices(t *testing.T) {
	t.Parallel()
	_, pool := newWriter(t)
	server := redistest.Start(t)
	if err := server.Client().Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := server.Client().Set(t.Context(), "key", "value", 0).Err(); err == nil {
		t.Error("it takes writes")
	}
	startBeating(t, pool, server.Client()).wantsFault(t, "")
}

func TestARedisThatIsAwayIsToldAndSaidOnce(t *testing.T) {
	t.Parallel()
	_, pool := newWriter(t)
	server := redistest.Start(t)
	server.Kill()
	h := startBeating(t, pool, server.Client())
	h.wantsFault(t, "connect")
	server.Run()
	h.wantsFault(t, "")
	server.Hang()
	pgtest.Eventually(t, "that it hangs is noticed", func() bool { return h.redis.Fault() != nil })
	server.Resume()
	h.wantsFault(t, "")
	if warned, ended := h.log.count("does not carry"), h.log.count("carries events again"); warned != 2 || ended != 2 {
		t.Errorf("of two outages are said %d beginnings and %d ends", warned, ended)
	}
}
