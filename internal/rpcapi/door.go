package rpcapi

import (
	"context"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/reflect/protoreflect"

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
	Gate     *middleware.Gate
	// Ready tells whether this instance can serve, for gRPC health.
	Ready func(context.Context) bool
	Log   *slog.Logger
}

// Mount puts all of the door's paths on a mux.
func Mount(mux *http.ServeMux, o Options) error {
	validator, err := newValidator()
	if err != nil {
		return err
	}
	d := &door{Responder: apierror.Responder{Log: o.Log}, gate: o.Gate, validator: validator}
	rest := &rest{door: d, mux: http.NewServeMux()}
	for _, s := range services(o, d.options()...) {
		mux.Handle(s.path, &errorRewriter{Responder: d.Responder, next: s.handler})
		if err := rest.addService(s.descriptor, s.implementation); err != nil {
			return err
		}
	}
	mux.Handle("/v1/", rest)
	mountProbes(mux, o.Ready)
	return nil
}

// service is one of the proto's services: what connect serves, and what REST
// calls directly.
type service struct {
	descriptor     protoreflect.ServiceDescriptor
	implementation any
	path           string
	handler        http.Handler
}

func services(o Options, options ...connect.HandlerOption) []service {
	bookings := service{
		descriptor:     bookingsv1.File_bookings_v1_booking_service_proto.Services().ByName("BookingService"),
		implementation: &bookingService{bookings: o.Bookings},
	}
	bookings.path, bookings.handler = bookingsv1connect.NewBookingServiceHandler(&bookingService{bookings: o.Bookings}, options...)
	events := service{
		descriptor:     bookingsv1.File_bookings_v1_event_service_proto.Services().ByName("EventService"),
		implementation: &eventService{feeds: o.Feeds},
	}
	events.path, events.handler = bookingsv1connect.NewEventServiceHandler(&eventService{feeds: o.Feeds}, options...)
	return []service{bookings, events}
}

func (d *door) options() []connect.HandlerOption {
	options := []connect.HandlerOption{
		connect.WithRequestGate(d.gateConnect),
		connect.WithInterceptors(d),
		connect.WithReadMaxBytes(middleware.MaxBody),
		// Below this, compressing costs more than it saves.
		connect.WithCompressMinBytes(1 << 10),
	}
	for _, codec := range deferredCodecs() {
		options = append(options, connect.WithCodec(codec))
	}
	return options
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
