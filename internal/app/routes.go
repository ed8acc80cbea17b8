package app

import (
	"log/slog"
	"net/http"
	"time"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
	"bookings/internal/reference"
	"bookings/internal/rpcapi"
	"bookings/internal/wsapi"
)

// routes is every path of the server, behind the one outer handler, for one side.
func routes(side middleware.Side, s Settings, doors rpcapi.Options, sockets *wsapi.Handler, health *health, log *slog.Logger) (*middleware.Handler, error) {
	responder := apierror.Responder{Log: log}
	mux := newRouter(rpcapi.Missing{Responder: responder})
	mux.get("/health", health.live)
	mux.get("/health/ready", health.ready)
	mux.get("/ws", sockets.ServeHTTP)
	if s.Docs && side != middleware.SideInternal {
		for path, page := range reference.Pages() {
			mux.get(path, page)
		}
	}
	if s.Page && side != middleware.SideInternal {
		if err := addPage(mux, s, responder); err != nil {
			return nil, err
		}
	}
	doors.HideReflection = side == middleware.SidePublic
	if err := rpcapi.Mount(mux.Handle, doors); err != nil {
		return nil, err
	}
	outer := &middleware.Handler{
		Next: rpcapi.HeaderLimit{Responder: responder, Next: mux}, Log: log, Trusted: s.TrustedProxies, Now: time.Now,
		Draining: health.draining.Load, Side: side,
	}
	if side == middleware.SideInternal {
		outer.Certificate = clientNames(s.InternalNames).of
		outer.Next = refuseForeignPages(responder, outer.Next)
	} else {
		outer.Next = allowOrigins(s.AllowedOrigins, outer.Next)
	}
	return outer, nil
}

// refuseForeignPages keeps pages of other sites from calling through the browser of
// somebody who may come in without a token: by a client certificate, which a browser
// shows for every page, or by sitting at this machine.
func refuseForeignPages(responder apierror.Responder, next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		responder.WriteStatus(w, r, booking.Errorf(booking.ReasonNotAllowed, "pages of other origins may not call"))
	}))
	return protection.Handler(next)
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
