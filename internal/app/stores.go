package app

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisTimeout is the one short deadline that a hung Redis can cost.
const redisTimeout = time.Second

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
