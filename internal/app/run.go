package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	"bookings/internal/middleware"
	"bookings/internal/pause"
	"bookings/internal/pgpool"
	"bookings/internal/ratelimit"
	"bookings/internal/remind"
	"bookings/internal/rpcapi"
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
	clock    *clock.Clock
	feeds    *feed.Hub
	jobs     *river.Client[pgx.Tx]
	health   *health
	sockets  *wsapi.Handler
	http     *http.Server
	// listener is there while the server runs.
	listener net.Listener
}

// New wires a server. It connects to nothing yet.
func New(ctx context.Context, s Settings, log *slog.Logger) (*Server, error) {
	server := &Server{settings: s, log: log}
	if err := server.openStores(ctx); err != nil {
		server.closeStores()
		return nil, err
	}
	handler, err := server.handler()
	if err != nil {
		server.closeStores()
		return nil, err
	}
	server.http = newHTTPServer(s.Addr, handler, log)
	if len(s.InternalTokens) > 0 {
		log.Warn("x-internal-token is accepted on the public listener, on gRPC calls")
	}
	return server, nil
}

func (s *Server) openStores(ctx context.Context) (err error) {
	if s.pool, err = pgpool.Open(ctx, s.settings.DatabaseURL, s.settings.DatabasePooler); err != nil {
		return err
	}
	var broadcast *feed.Redis
	if s.settings.RedisURL != "" {
		if s.redis, err = redisClient(s.settings.RedisURL); err != nil {
			return err
		}
		broadcast = feed.NewRedis(s.redis, s.log)
	}
	s.feeds = feed.NewHub(s.pool, broadcast, s.log)
	s.clock = clock.New(s.pool.Pool, time.Now, s.log)
	s.health = &health{pool: s.pool, redis: broadcast, clock: s.clock}
	if !s.settings.Worker {
		s.jobs, err = jobs.NewInserter(s.pool, s.log, s.clock.Now)
		return err
	}
	if s.jobsPool, err = pgpool.OpenForJobs(ctx, s.settings.DatabaseURL, s.settings.DatabasePooler); err != nil {
		return err
	}
	s.jobs, err = jobs.NewWorker(s.jobsPool, s.log, s.clock.Now,
		&remind.Worker{Pool: s.pool, Feeds: s.feeds, Log: s.log},
		&expire.Worker{Pool: s.pool, Feeds: s.feeds, Log: s.log},
		&jobs.Pruner{Pool: s.pool, Retention: s.settings.FeedRetention, Now: s.clock.Now, Log: s.log})
	return err
}

func (s *Server) handler() (http.Handler, error) {
	gate := &middleware.Gate{
		Verifier: identity.New(identity.Options{
			Secret:         []byte(s.settings.JWTSecret),
			Issuer:         s.settings.JWTIssuer,
			Audience:       s.settings.JWTAudience,
			InternalTokens: s.settings.InternalTokens,
			// Not PostgreSQL's: when a token ends is said by the identity
			// provider, which knows nothing of our database, and credentials are
			// checked also while that is away.
			Now: time.Now,
		}),
		Limiter: ratelimit.New(s.settings.RateLimit, time.Now),
	}
	s.sockets = &wsapi.Handler{
		Responder: apierror.Responder{Log: s.log}, Gate: gate, Feeds: s.feeds, Origins: s.settings.AllowedOrigins,
	}
	return routes(s.settings, rpcapi.Options{
		Bookings: &bookingsvc.Service{
			Pool: s.pool, Jobs: s.jobs, Feeds: s.feeds, Now: s.clock.Now,
			MaxPending: s.settings.MaxPending,
			Terms:      booking.Terms{Leads: s.settings.ReminderLeads, PendingTTL: s.settings.PendingTTL},
		},
		Feeds: s.feeds, Silence: s.settings.Silence, Gate: gate, Ready: s.health.isReady, Log: s.log,
	}, s.sockets, s.health, s.log)
}

// newHTTPServer speaks HTTP/1.1 and HTTP/2, the latter also without TLS (h2c),
// which gRPC needs. It sets no WriteTimeout, which would cut streams:
// middleware.Handler bounds answers, one by one.
func newHTTPServer(addr string, handler http.Handler, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Addr:              addr,
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
// address once connections are accepted; it may be nil.
func (s *Server) Run(ctx context.Context, listening func(net.Addr)) error {
	defer s.closeStores()
	var config net.ListenConfig
	config.SetMultipathTCP(false) // it takes no socket filter: see ignoreHandshakes
	listener, err := config.Listen(ctx, "tcp", s.settings.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.listener = listener
	background := s.startBackground(ctx)
	failed := make(chan error, 1)
	go func() { failed <- s.serve(listener) }()
	s.log.Info("listening", "addr", listener.Addr().String())
	if listening != nil {
		listening(listener.Addr())
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	end := shutdown{began: time.Now(), most: s.settings.ShutdownTimeout}
	background.stopFetching(ctx)
	if err == nil {
		s.stop(ctx, end)
	}
	return errors.Join(err, background.stop(ctx, end))
}

func (s *Server) serve(listener net.Listener) error {
	var err error
	if s.settings.TLSCert != "" {
		err = s.http.ServeTLS(listener, s.settings.TLSCert, s.settings.TLSKey)
	} else {
		err = s.http.Serve(listener)
	}
	if s.health.draining.Load() { // it has been told to stop
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
	s.closeListener(ctx)
	s.feeds.EndAll(drain)
	s.sockets.Close(ctx)
	pause.For(ctx, drain/4)
	// Peers who do not read, or do not finish what they send, are cut off.
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("requests did not end in time", "error", err)
		_ = s.http.Close()
	}
}

// closeListener lets nobody connect any more. Who has been connected by the
// kernel is accepted first.
func (s *Server) closeListener(ctx context.Context) {
	if tcp, ok := s.listener.(*net.TCPListener); ok && s.settings.Drain > 0 {
		if err := ignoreHandshakes(tcp); err != nil {
			s.log.Debug("connections that are being made may be reset", "error", err)
		}
		pause.For(ctx, acceptTime)
	}
	_ = s.listener.Close()
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
