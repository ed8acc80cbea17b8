// Package pgpool is the connections to PostgreSQL and how they are used: the
// bounds of every wait, what is tried a second time, and how much of the pool
// one user's writers may hold.
package pgpool

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// maxConns is the size of a pool where the URL does not say pool_max_conns.
	maxConns       = 20
	connectTimeout = 3 * time.Second
)

// bounds are every wait for PostgreSQL, so that a server that hangs is noticed.
// A statement may take less than a call (rpcapi), and a lock much less: whoever
// waits for one holds a connection that others could use.
var bounds = map[string]string{
	"default_transaction_isolation":       "read committed",
	"statement_timeout":                   "7s",
	"lock_timeout":                        "2s",
	"idle_in_transaction_session_timeout": "10s",
}

// jobsConns are one that listens, one for each queue, and a few for what River
// does besides.
const jobsConns = 6

// jobsBounds are those of River's own statements. Its upkeep takes longer than a
// call: it rebuilds its indexes each night, for a minute each at most (its own
// time-out), and waits for locks meanwhile. Ended by a bound of ours it would
// leave an index behind that is invalid, and do so again the next night.
var jobsBounds = map[string]string{
	"default_transaction_isolation":       "read committed",
	"statement_timeout":                   "90s",
	"lock_timeout":                        "0",
	"idle_in_transaction_session_timeout": "10s",
}

// Pool is a pool of connections. Its own methods stand before those of pgx's
// pool: what they run is tried again where PostgreSQL says that this helps.
type Pool struct {
	*pgxpool.Pool
	// Pooler tells that a session is no longer than a transaction: there is no
	// LISTEN.
	Pooler bool

	begin  pgx.TxOptions
	places *places
	drop   *dropper
}

// Of is a pool as pgx makes it, with its own time-outs.
func Of(pool *pgxpool.Pool) *Pool {
	p := &Pool{places: newPlaces(pool.Config().MaxConns), drop: newDropper()}
	p.use(pool)
	return p
}

func (p *Pool) use(pool *pgxpool.Pool) {
	p.Pool = pool
	p.drop.pool.Store(pool)
}

// Open makes the pool of calls. pooler tells that the URL is not PostgreSQL's but
// that of a pooler in transaction mode. tracer, which may be nil, is told of each
// statement. It connects to nothing yet.
func Open(ctx context.Context, databaseURL string, pooler bool, tracer pgx.QueryTracer) (*Pool, error) {
	config, err := Config(databaseURL)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Tracer = tracer
	return open(ctx, config, pooler)
}

// OpenForJobs makes the pool of River's own statements: what it fetches, and its
// upkeep. Calls do not wait for those, nor they for calls.
func OpenForJobs(ctx context.Context, databaseURL string, pooler bool) (*Pool, error) {
	config, err := Config(databaseURL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = jobsConns
	maps.Copy(config.ConnConfig.RuntimeParams, jobsBounds)
	return open(ctx, config, pooler)
}

// Config reads a URL and adds what it does not say.
func Config(databaseURL string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", err)
	}
	if !strings.Contains(databaseURL, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	config.PingTimeout = time.Second
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.AfterConnect = registerUUIDs
	setDefaults(config, map[string]string{"application_name": "bookings", "timezone": "UTC"})
	setDefaults(config, bounds)
	return config, nil
}

// setDefaults adds parameters of the connections, where the URL has none.
func setDefaults(config *pgxpool.Config, parameters map[string]string) {
	given := maps.Clone(config.ConnConfig.RuntimeParams)
	maps.Copy(config.ConnConfig.RuntimeParams, parameters)
	maps.Copy(config.ConnConfig.RuntimeParams, given)
}

func open(ctx context.Context, config *pgxpool.Config, pooler bool) (*Pool, error) {
	p := &Pool{Pooler: pooler, places: newPlaces(config.MaxConns), drop: newDropper()}
	if pooler {
		throughPooler(config)
		p.begin = boundedBegin()
	}
	config.ConnConfig.OnPgError = p.drop.onError
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the pool of connections: %w", err)
	}
	p.use(pool)
	return p, nil
}
