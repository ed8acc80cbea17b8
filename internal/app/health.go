package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"bookings/internal/clock"
	"bookings/internal/feed"
	"bookings/internal/identity"
	"bookings/internal/migrate"
	"bookings/internal/pgpool"
)

// probeTimeout bounds a readiness check, also against a hung database.
const (
	probeTimeout = 2 * time.Second
	// probeInterval is how often PostgreSQL is asked at most, whoever asks us: the
	// probes of many load balancers, or of anybody, are no load for it.
	probeInterval = time.Second
)

// health answers load balancers.
type health struct {
	pool *pgpool.Pool
	// redis is nil where events are broadcast inside this process alone.
	redis *feed.Redis
	clock *clock.Clock
	// keys is nil where the keys of tokens are settings.
	keys *identity.JWKS
	// draining is set when the server begins to stop.
	draining atomic.Bool
	postgres askedPostgres
	// migrated remembers that the schema was new enough: it does not grow older
	// while PostgreSQL is there.
	migrated atomic.Bool
}

// States of the whole and of its parts, besides "ok".
const (
	unavailable = "unavailable"
	readOnly    = "read-only"
	degraded    = "degraded"
)

// readiness is what /health/ready tells, part by part.
type readiness struct {
	Status   string `json:"status"`
	Postgres string `json:"postgres"`
	Redis    string `json:"redis"`
	Schema   string `json:"schema"`
	Clock    string `json:"clock"`
	// Keys is there where they are an identity provider's.
	Keys string `json:"keys,omitempty"`
}

// live answers as long as the process can; it asks nothing else.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	found := h.check(r.Context())
	status := http.StatusOK
	if found.Status == unavailable {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, found)
}

// isReady is readiness for gRPC health.
func (h *health) isReady(ctx context.Context) bool { return h.check(ctx).Status != unavailable }

func (h *health) check(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	found := h.checkPostgres(ctx)
	found.Clock = h.clock.State()
	found.Redis = h.checkRedis()
	found.Keys = h.checkKeys()
	switch {
	case h.draining.Load(), found.Keys == unavailable:
		found.Status = unavailable
	case found.Status == "ok" && (found.Redis == degraded || found.Keys == degraded):
		found.Status = degraded
	}
	return found
}

// askedPostgres is what PostgreSQL answered last.
type askedPostgres struct {
	mu    sync.Mutex
	at    time.Time
	found readiness
}

// checkPostgres asks PostgreSQL, or says what it has just answered. Who comes
// while it is being asked waits for the answer, which does not hang on the one
// who asked first.
func (h *health) checkPostgres(ctx context.Context) readiness {
	h.postgres.mu.Lock()
	defer h.postgres.mu.Unlock()
	if time.Since(h.postgres.at) >= probeInterval {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		h.postgres.found = h.askPostgres(ctx)
		h.postgres.at = time.Now()
	}
	return h.postgres.found
}

func (h *health) askPostgres(ctx context.Context) readiness {
	err := h.pool.CheckWritable(ctx)
	if err != nil {
		h.migrated.Store(false) // what comes back may be another server
	}
	switch {
	case errors.Is(err, pgpool.ErrReadOnly):
		return readiness{Status: unavailable, Postgres: readOnly, Schema: "unknown"}
	case err != nil:
		return readiness{Status: unavailable, Postgres: unavailable, Schema: "unknown"}
	}
	switch err := h.checkSchema(ctx); {
	case err == nil:
		return readiness{Status: "ok", Postgres: "ok", Schema: "ok"}
	case errors.Is(err, migrate.ErrNotUTF8), errors.Is(err, migrate.ErrSequenceBehind):
		return readiness{Status: unavailable, Postgres: "ok", Schema: err.Error()}
	default:
		return readiness{Status: unavailable, Postgres: "ok", Schema: "too old: run bookings migrate up"}
	}
}

func (h *health) checkSchema(ctx context.Context) error {
	if h.migrated.Load() {
		return nil
	}
	err := migrate.Check(ctx, h.pool.Pool)
	h.migrated.Store(err == nil)
	return err
}

// checkRedis: without Redis events still arrive, only later.
func (h *health) checkRedis() string {
	switch {
	case h.redis == nil:
		return "disabled"
	case h.redis.Fault() != nil:
		return degraded
	default:
		return "ok"
	}
}

// checkKeys: without any key nobody can be let in; with those of before, nobody
// notices that the identity provider is away.
func (h *health) checkKeys() string {
	if h.keys == nil {
		return ""
	}
	switch known, fresh := h.keys.State(); {
	case !known:
		return unavailable
	case !fresh:
		return degraded
	default:
		return "ok"
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
