package app

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

const (
	// maxConns is the size of the pool where the URL does not say pool_max_conns.
	maxConns       = 20
	connectTimeout = 3 * time.Second
	// redisTimeout is the one short deadline that a hung Redis can cost.
	redisTimeout = time.Second
)

// poolConfig bounds every wait for PostgreSQL, so that a server that hangs is
// noticed. A statement may take less than a call (rpcapi).
func poolConfig(databaseURL string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", err)
	}
	if !strings.Contains(databaseURL, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	config.PingTimeout = time.Second
	config.ConnConfig.ConnectTimeout = connectTimeout
	for name, value := range map[string]string{
		"application_name":                    "bookings",
		"default_transaction_isolation":       "read committed",
		"statement_timeout":                   "7s",
		"lock_timeout":                        "6s",
		"idle_in_transaction_session_timeout": "10s",
		"timezone":                            "UTC",
	} {
		if _, given := config.ConnConfig.RuntimeParams[name]; !given {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	return config, nil
}

func openPool(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	config, err := poolConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the pool of connections: %w", err)
	}
	return pool, nil
}

// redisClient makes a client for one server, or for a Cluster where the URL
// names further nodes (redis://one:6379?addr=two:6379). It does not connect.
// Nothing is tried twice: what Redis loses is healed from PostgreSQL, and a
// second try would only be slow.
func redisClient(redisURL string) (redis.UniversalClient, error) {
	quietRedis()
	parsed, err := url.Parse(redisURL)
	if err != nil {
		return nil, fmt.Errorf("read REDIS_URL: %w", err)
	}
	if parsed.Query().Has("addr") {
		options, err := redis.ParseClusterURL(redisURL)
		if err != nil {
			return nil, fmt.Errorf("read REDIS_URL: %w", err)
		}
		options.ContextTimeoutEnabled = true
		options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
		options.DialerRetries = 1
		return redis.NewClusterClient(options), nil
	}
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, fmt.Errorf("read REDIS_URL: %w", err)
	}
	options.ContextTimeoutEnabled = true
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	options.DialerRetries, options.MaxRetries = 1, -1
	return redis.NewClient(options), nil
}

// quietRedis silences go-redis, which writes lines of its own, in no format of
// ours, about failures that it also returns.
var quietRedis = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf implements go-redis's logger.
func (silence) Printf(context.Context, string, ...any) {}
