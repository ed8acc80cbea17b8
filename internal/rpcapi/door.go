package rpcapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/apierror"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
	"bookings/internal/middleware"
)

// Options are what the door opens to.
type Options struct {
	Bookings *bookingsvc.Service
	Feeds    *feed.Hub
	// Silence is how long a stream goes without a message before a checkpoint;
	// 25 seconds where it is zero.
	Silence time.Duration
	// Streams counts the streams of events that are open; it may be nil.
	Streams *atomic.Int64
	Gate    *middleware.Gate
	// Ready tells whether this instance can serve, for gRPC health.
	Ready func(context.Context) bool
	// HideReflection leaves server reflection out.
	HideReflection bool
	Log            *slog.Logger
}

// Mount hands out all of the door's paths: what connect serves at the path of
// each service, and the same methods at the paths that the proto has for REST.
// One that ends in a slash stands for all below it.
func Mount(handle func(path string, handler http.Handler), o Options) error {
	validator, err := newValidator()
	if err != nil {
		return err
	}
	d := &door{Responder: apierror.Responder{Log: o.Log}, gate: o.Gate, validator: validator}
	bookings, events := &bookingService{Responder: d.Responder, bookings: o.Bookings}, newEventService(o)
	serve := func(path string, handler http.Handler) {
		handle(path, &errorRewriter{Responder: d.Responder, next: handler})
	}
	serve(bookingsv1connect.NewBookingServiceHandler(bookings, d.options()...))
	serve(bookingsv1connect.NewEventServiceHandler(events, d.options()...))
	rest := &rest{door: d, mux: http.NewServeMux()}
	handle("/v1/", rest)
	mountProbes(serve, d, o)
	return errors.Join(
		rest.addService(bookingsv1.File_bookings_v1_booking_service_proto.Services().ByName("BookingService"), bookings),
		rest.addService(bookingsv1.File_bookings_v1_event_service_proto.Services().ByName("EventService"), events),
	)
}

// options are connect's: its gate asks ours before a body is read, its codecs
// leave decoding to our interceptor.
func (d *door) options() []connect.HandlerOption {
	return append(codecs(middleware.MaxBody), connect.WithRequestGate(d.gateConnect), connect.WithInterceptors(d))
}

// codecs bound a message, as inflated, in bytes.
func codecs(most int) []connect.HandlerOption {
	options := []connect.HandlerOption{
		connect.WithReadMaxBytes(most),
		// Below this, compressing costs more than it saves.
		connect.WithCompressMinBytes(1 << 10),
	}
	for _, codec := range deferredCodecs() {
		options = append(options, connect.WithCodec(codec))
	}
	return options
}
