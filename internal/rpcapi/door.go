package rpcapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"

	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/apierror"
	"bookings/internal/bookingsvc"
	"bookings/internal/edge"
	"bookings/internal/feed"
)

// Options are what the door opens to.
type Options struct {
	Bookings *bookingsvc.Service
	Feeds    *feed.Hub
	Gate     *edge.Gate
	// Ready tells whether this instance can serve, for gRPC health.
	Ready func(context.Context) bool
	Log   *slog.Logger
}

// Mount puts all of the door's paths on a mux.
func Mount(mux *http.ServeMux, o Options) error {
	shape, err := newShape()
	if err != nil {
		return err
	}
	d := &door{Answerer: apierror.Answerer{Log: o.Log}, gate: o.Gate, shape: shape}
	services := services(o, d.options()...)
	for path, handler := range services {
		mux.Handle(path, markGRPC(&refusals{Answerer: d.Answerer, next: handler}))
	}
	rest, err := newREST(services)
	if err != nil {
		return err
	}
	mux.Handle("/v1/", &refusals{Answerer: d.Answerer, next: rest, rest: true})
	mountProbes(mux, o.Ready)
	return nil
}

func (d *door) options() []connect.HandlerOption {
	options := []connect.HandlerOption{
		connect.WithRequestGate(d.admit),
		connect.WithInterceptors(d),
		connect.WithReadMaxBytes(edge.MaxBody),
		// Below this, compressing costs more than it saves.
		connect.WithCompressMinBytes(1 << 10),
	}
	for _, codec := range connectCodecs() {
		options = append(options, connect.WithCodec(codec))
	}
	return options
}

func services(o Options, options ...connect.HandlerOption) map[string]http.Handler {
	all := map[string]http.Handler{}
	path, handler := bookingsv1connect.NewBookingServiceHandler(&bookingService{bookings: o.Bookings}, options...)
	all[path] = handler
	path, handler = bookingsv1connect.NewEventServiceHandler(&eventService{feeds: o.Feeds}, options...)
	all[path] = handler
	return all
}

// mountProbes adds what asks for no credentials: gRPC health, and reflection in
// both versions, since some clients know only the older.
func mountProbes(mux *http.ServeMux, ready func(context.Context) bool) {
	names := []string{bookingsv1connect.BookingServiceName, bookingsv1connect.EventServiceName}
	mux.Handle(grpchealth.NewHandler(checker{ready: ready, services: names}))
	reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector))
}

type grpcKey struct{}

// markGRPC notes that a request is gRPC as it came: behind the REST door the
// handlers are spoken to in another protocol than the caller's.
func markGRPC(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		is := strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), grpcKey{}, is)))
	})
}

// takesInternalToken: on the public listener, gRPC alone does.
func takesInternalToken(ctx context.Context) bool {
	is, _ := ctx.Value(grpcKey{}).(bool)
	return is
}
