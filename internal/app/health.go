package app

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/feed"
	"bookings/internal/migrate"
)

// probeTimeout bounds a readiness check, also against a hung database.
const probeTimeout = 2 * time.Second

// health answers load balancers.
type health struct {
	pool *pgxpool.Pool
	// redis is nil where events are broadcast inside this process alone.
	redis *feed.Redis
	// draining is set when the server begins to stop.
	draining atomic.Bool
	// migrated remembers that the schema was new enough: it does not grow older.
	migrated atomic.Bool
}

// States of the whole and of its parts, besides "ok".
const (
	unavailable = "unavailable"
	degraded    = "degraded"
)

// readiness is what /health/ready tells, part by part.
type readiness struct {
	Status   string `json:"status"`
	Postgres string `json:"postgres"`
	Redis    string `json:"redis"`
	Schema   string `json:"schema"`
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
	found := readiness{Status: "ok", Postgres: "ok", Schema: "ok"}
	if err := h.pool.Ping(ctx); err != nil {
		found.Status, found.Postgres, found.Schema = unavailable, unavailable, "unknown"
	} else if !h.checkSchema(ctx) {
		found.Status, found.Schema = unavailable, "too old: run bookings migrate up"
	}
	found.Redis = h.checkRedis()
	switch {
	case h.draining.Load():
		found.Status = unavailable
	case found.Status == "ok" && found.Redis == degraded:
		found.Status = degraded
	}
	return found
}

func (h *health) checkSchema(ctx context.Context) bool {
	if !h.migrated.Load() {
		h.migrated.Store(migrate.Check(ctx, h.pool) == nil)
	}
	return h.migrated.Load()
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

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
