package app

import (
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"bookings/internal/apierror"
	"bookings/internal/identity"
	"bookings/internal/middleware"
	"bookings/internal/ratelimit"
	"bookings/internal/rpcapi"
	"bookings/internal/wsapi"
)

// bareServer is all routes with no stores behind them: a call that gets as far
// as a handler panics there.
type bareServer struct {
	settings Settings
	doors    rpcapi.Options
	sockets  *wsapi.Handler
	// now is the clock of the outer handler.
	now func() time.Time
	// peer is where requests seem to come from; empty: from where they do.
	peer string
}

// bare runs one, for what is decided before a handler is asked.
func bare(t testing.TB, changes ...func(*bareServer)) *instance {
	t.Helper()
	i := newInstance(t)
	log := slog.New(slog.NewJSONHandler(i.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gate := &middleware.Gate{
		Verifier: identity.New(identity.Options{Keys: identity.Secret(testSecret), InternalTokens: []string{testInternal}, Now: time.Now}),
		Limiter:  ratelimit.New(0, time.Now),
	}
	b := &bareServer{
		doors:   rpcapi.Options{Gate: gate, Log: log},
		sockets: &wsapi.Handler{Responder: apierror.Responder{Log: log}, Gate: gate},
		now:     time.Now,
	}
	for _, change := range changes {
		change(b)
	}
	handler, err := routes(middleware.SideOnly, b.settings, b.doors, b.sockets, &health{}, log)
	if err != nil {
		t.Fatal(err)
	}
	handler.Now = b.now
	i.serve(seenFrom(b.peer, handler), log)
	return i
}

func seenFrom(peer string, handler http.Handler) http.Handler {
	if peer == "" {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = peer
		handler.ServeHTTP(w, r)
	})
}

func (i *instance) serve(handler http.Handler, log *slog.Logger) {
	i.t.Helper()
	listener, err := new(net.ListenConfig).Listen(i.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		i.t.Fatal(err)
	}
	i.addr = listener.Addr().String()
	server := newHTTPServer(handler, log)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	i.t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
}
