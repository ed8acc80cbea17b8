package app

import (
	"log/slog"
	"net/http"
	"time"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"

	"bookings/internal/apierror"
	"bookings/internal/middleware"
	"bookings/internal/rpcapi"
	"bookings/internal/wsapi"
)

// routes is every path of the server, behind the one outer handler.
func routes(s Settings, doors rpcapi.Options, sockets *wsapi.Handler, health *health, log *slog.Logger) (http.Handler, error) {
	responder := apierror.Responder{Log: log}
	mux := newRouter(rpcapi.Missing{Responder: responder})
	mux.get("/health", health.live)
	mux.get("/health/ready", health.ready)
	mux.get("/ws", sockets.ServeHTTP)
	if err := rpcapi.Mount(mux.Handle, doors); err != nil {
		return nil, err
	}
	bounded := rpcapi.HeaderLimit{Responder: responder, Next: mux}
	return &middleware.Handler{
		Next: allowOrigins(s.AllowedOrigins, bounded), Log: log, Trusted: s.TrustedProxies, Now: time.Now,
		Draining: health.draining.Load,
	}, nil
}

// allowOrigins answers the browsers' questions (CORS) for every HTTP door.
func allowOrigins(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: append(connectcors.AllowedMethods(), http.MethodPatch), // REST's updates
		// Pages with tracing send headers of their own, and no header lets anybody do
		// more than a token: credentials are never sent by the browser itself.
		AllowedHeaders: []string{"*"},
		ExposedHeaders: append(connectcors.ExposedHeaders(), "RateLimit-Limit", "RateLimit-Remaining",
			"RateLimit-Reset", "Retry-After", "X-Request-Id", "Idempotent-Replayed"),
		MaxAge: int((2 * time.Hour).Seconds()),
	}).Handler(next)
}
