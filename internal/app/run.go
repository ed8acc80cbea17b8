package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/clock"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/identity"
	"bookings/internal/jobs"
	"bookings/internal/metrics"
	"bookings/internal/middleware"
	"bookings/internal/pause"
	"bookings/internal/pgpool"
	"bookings/internal/ratelimit"
	"bookings/internal/remind"
	"bookings/internal/rpcapi"
	"bookings/internal/tracing"
	"bookings/internal/wsapi"
)

// acceptTime is how long connections may take that the kernel has made, to be
// accepted.
const acceptTime = 200 * time.Millisecond

// Server is one instance: everything that is made at its start and ended at
// its stop.
type Server struct {
	settings Settings
	log      *slog.Logger

	pool *pgpool.Pool
	// jobsPool is River's, where jobs are worked here.
	jobsPool *pgpool.Pool
	redis    redis.UniversalClient
	// broadcast is over redis; both are nil where none is set.
	broadcast *feed.Redis
	clock     *clock.Clock
	keys      identity.Keys
	feeds     *feed.Hub
	jobs      *river.Client[pgx.Tx]
	health    *health
	sockets   *wsapi.Handler
	gate      *middleware.Gate
	// listeners are the public one and, where there is one, the internal one.
	listeners []*listener
	// admin is for operators; it and metrics are nil where there is no such place.
	admin   *listener
	metrics *metrics.Metrics
	// tracing is nil where nothing is traced.
	tracing *tracing.Tracing
	// streams counts the streams of events that are open.
	streams atomic.Int64
}

// New wires a server. It connects to nothing yet.
func New(ctx context.Context, s Settings, log *slog.Logger) (*Server, error) {
	server := &Server{settings: s, log: log}
	if err := server.openWatch(ctx); err != nil {
		return nil, err
	}
	if err := server.openKeys(); err != nil {
		return nil, err
	}
	if err := server.openStores(ctx); err != nil {
		server.closeStores()
		return nil, err
	}
	server.openDoors()
	var err error
	if server.listeners, err = server.newListeners(); err != nil {
		server.closeStores()
		return nil, err
	}
	if err := server.openAdmin(); err != nil {
		server.closeStores()
		return nil, err
	}
	server.warn()
	return server, nil
}

// warn says what a careful operator would do otherwise.
func (s *Server) warn() {
	switch {
	case s.settings.InternalAddr == "" && len(s.settings.InternalTokens) > 0:
		s.log.Warn("x-internal-token is accepted on the public listener, on gRPC calls: INTERNAL_ADDR gives internal services a listener of their own")
	case s.settings.InternalAddr != "" && len(s.settings.InternalTokens) == 0 && s.settings.InternalCA == "":
		s.log.Warn("nobody is internal on INTERNAL_ADDR: INTERNAL_CLIENT_CA and INTERNAL_TOKEN are not set")
	}
	if s.settings.JWTSecret == "" && s.settings.JWTAudience == "" {
		s.log.Warn("JWT_AUDIENCE is not set: tokens that the identity provider made for other services are taken too")
	}
}

func (s *Server) openStores(ctx context.Context) (err error) {
	if s.pool, err = pgpool.Open(ctx, s.settings.DatabaseURL, s.settings.DatabasePooler, s.tracing.SQL()); err != nil {
		return err
	}
	if s.settings.RedisURL != "" {
		if s.redis, err = redisClient(s.settings.RedisURL); err != nil {
			return err
		}
		if err := s.tracing.Redis(s.redis); err != nil {
			return err
		}
		s.broadcast = feed.NewRedis(s.redis, s.log)
	}
	s.feeds = feed.NewHub(s.pool, s.broadcast, s.log)
	s.clock = clock.New(s.pool.Pool, time.Now, s.log)
	s.health = &health{pool: s.pool, redis: s.broadcast, clock: s.clock, keys: s.jwks()}
	if !s.settings.Worker {
		s.jobs, err = jobs.NewInserter(s.pool, s.log, s.clock.Now, s.tracing.Jobs()...)
		return err
	}
	if s.jobsPool, err = pgpool.OpenForJobs(ctx, s.settings.DatabaseURL, s.settings.DatabasePooler); err != nil {
		return err
	}
	s.jobs, err = jobs.NewWorker(s.jobsPool, s.log, s.clock.Now,
		&remind.Worker{Pool: s.pool, Feeds: s.feeds, Log: s.log, Late: s.metrics.ObserveLateness()},
		&expire.Worker{Pool: s.pool, Feeds: s.feeds, Log: s.log},
		&jobs.Pruner{Pool: s.pool, Retention: s.settings.FeedRetention, Now: s.clock.Now, Log: s.log},
		s.tracing.Jobs()...)
	return err
}

// openDoors makes what the doors of all listeners share.
func (s *Server) openDoors() {
	s.gate = &middleware.Gate{
		Verifier: identity.New(identity.Options{
			Keys:           s.keys,
			Issuer:         s.settings.JWTIssuer,
			Audience:       s.settings.JWTAudience,
			InternalTokens: s.settings.InternalTokens,
			// Not PostgreSQL's: when a token ends is said by the identity
			// provider, which knows nothing of our database, and credentials are
			// checked also while that is away.
			Now: time.Now,
		}),
		Limiter: s.limiter(),
	}
	s.sockets = &wsapi.Handler{
		Responder: apierror.Responder{Log: s.log}, Gate: s.gate, Feeds: s.feeds, Origins: s.settings.AllowedOrigins,
	}
}

func (s *Server) handler(side middleware.Side) (http.Handler, error) {
	outer, err := routes(side, s.settings, rpcapi.Options{
		Bookings: &bookingsvc.Service{
			Pool: s.pool, Jobs: s.jobs, Feeds: s.feeds, Log: s.log, Now: s.clock.Now,
			MaxPending: s.settings.MaxPending,
			Terms:      booking.Terms{Leads: s.settings.ReminderLeads, PendingTTL: s.settings.PendingTTL},
		},
		Feeds: s.feeds, Silence: s.settings.Silence, Streams: &s.streams, Gate: s.gate, Ready: s.health.isReady, Log: s.log,
	}, s.sockets, s.health, s.log)
	if err != nil {
		return nil, err
	}
	outer.Observe, outer.Tracer = s.metrics.ObserveRequest(), s.tracing.Tracer()
	return outer, nil
}

// limiter counts requests across instances where Redis is there.
func (s *Server) limiter() middleware.Limiter {
	local := ratelimit.New(s.settings.RateLimit, time.Now)
	if s.redis == nil {
		return local
	}
	return ratelimit.NewShared(s.redis, local, s.broadcast.Channel, s.log)
}

// newHTTPServer speaks HTTP/1.1 and HTTP/2, the latter also without TLS (h2c),
// which gRPC needs. It sets no WriteTimeout, which would cut streams:
// middleware.Handler bounds answers, one by one.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    4 * rpcapi.MaxHeaders, // past it, net/http ends a whole connection
		HTTP2: &http.HTTP2Config{
			// A proxy puts all of its calls on few connections.
			MaxConcurrentStreams: 1000,
			// A stream says nothing for hours: its peer is asked as those of sockets are.
			SendPingTimeout: 25 * time.Second, PingTimeout: 10 * time.Second,
			// A peer that reads no byte of the connection cannot be told that a stream
			// is reset, so the connection ends.
			WriteByteTimeout: 10 * time.Second,
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Run serves until the context ends, then stops in order. listening is told the
// public address once connections are accepted; it may be nil.
func (s *Server) Run(ctx context.Context, listening func(net.Addr)) error {
	defer s.closeStores()
	defer s.closeWatch(ctx)
	if err := s.listen(ctx); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := s.serveAdmin(ctx); err != nil {
		s.closeListeners(ctx)
		return fmt.Errorf("listen: %w", err)
	}
	background := s.startBackground(ctx)
	failed := make(chan error, len(s.listeners))
	for _, l := range s.listeners {
		go func() { failed <- s.served(l.serve(s.settings, s.log)) }()
	}
	if listening != nil {
		listening(s.listeners[0].net.Addr())
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	end := shutdown{began: time.Now(), most: s.settings.ShutdownTimeout}
	background.stopFetching(ctx)
	s.stop(ctx, end)
	return errors.Join(err, background.stop(ctx, end))
}

// InternalAddr is where internal services connect, once Run has begun to listen;
// nil where there is no such place.
func (s *Server) InternalAddr() net.Addr {
	if len(s.listeners) < 2 {
		return nil
	}
	return s.listeners[1].net.Addr()
}

func (s *Server) listen(ctx context.Context) error {
	for n, l := range s.listeners {
		if err := l.listen(ctx, s.log); err != nil {
			for _, opened := range s.listeners[:n] {
				_ = opened.net.Close()
			}
			return err
		}
	}
	return nil
}

// served is how serving ended: with nil where it has been told to stop.
func (s *Server) served(err error) error {
	if s.health.draining.Load() {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// stop ends the server in the order that loses nothing. Readiness goes off and
// each answer says that its connection closes, for a while, so that proxies come
// to have none left. Then nobody can connect; who has connected is answered
// still, which net/http's Shutdown would not do. Sockets and streams end, which
// resume elsewhere, and requests. Jobs have stopped to be fetched before; they,
// broadcasts, Redis and the pools follow.
func (s *Server) stop(ctx context.Context, end shutdown) {
	ctx, cancel := end.within(ctx, requestsShare)
	defer cancel()
	s.log.Info("stopping")
	s.health.draining.Store(true)
	drain := min(s.settings.Drain, end.part(drainShare))
	pause.For(ctx, drain)
	s.closeListeners(ctx)
	s.feeds.EndAll(drain)
	s.sockets.Close(ctx)
	pause.For(ctx, drain/4)
	var shuttingDown sync.WaitGroup
	for _, l := range s.listeners {
		shuttingDown.Go(func() { l.shutdown(ctx, s.log) })
	}
	shuttingDown.Wait()
}

// closeListeners lets nobody connect any more. Who has been connected by the
// kernel is accepted first.
func (s *Server) closeListeners(ctx context.Context) {
	if s.settings.Drain > 0 {
		for _, l := range s.listeners {
			l.ignoreHandshakes(s.log)
		}
		pause.For(ctx, acceptTime)
	}
	for _, l := range s.listeners {
		_ = l.net.Close()
	}
}

// closeStores ends what New has opened.
func (s *Server) closeStores() {
	if s.redis != nil {
		_ = s.redis.Close()
	}
	for _, pool := range []*pgpool.Pool{s.jobsPool, s.pool} {
		if pool != nil && !closes(pool) {
			s.log.Warn("connections to PostgreSQL were still in use at the end")
		}
	}
}

// closes waits for connections that are in use, not for ever: who has been told
// to end and has not would keep the process alive.
func closes(pool *pgpool.Pool) bool {
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
		return true
	case <-time.After(closeTimeout):
		return false
	}
}
