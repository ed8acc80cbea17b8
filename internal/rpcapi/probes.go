package rpcapi

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// maxProbe is the size of the largest message that is taken without
// credentials, in bytes, as inflated. It only holds names.
const maxProbe = 4 << 10

// mountProbes adds what asks for no credentials: gRPC health, and reflection in
// both versions, since some clients know only the older. All else is for them as
// for every method: sizes, decoding, panics, and how a refusal is said.
func mountProbes(serve func(string, http.Handler), d *door, o Options) {
	names := []string{bookingsv1connect.BookingServiceName, bookingsv1connect.EventServiceName}
	options := append(codecs(maxProbe), connect.WithInterceptors(prober{d}))
	serve(grpchealth.NewHandler(checker{ready: o.Ready, services: names}, options...))
	if o.HideReflection {
		return
	}
	reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
	serve(grpcreflect.NewHandlerV1(reflector, options...))
	serve(grpcreflect.NewHandlerV1Alpha(reflector, options...))
}

// checker answers grpc.health.v1.Health: it follows readiness, for "" and for
// each service.
type checker struct {
	ready    func(context.Context) bool
	services []string
}

// Check implements grpchealth.Checker.
func (c checker) Check(ctx context.Context, r *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if r.Service != "" && !slices.Contains(c.services, r.Service) {
		return nil, booking.Errorf(apierror.ReasonNotFound, "there is no service of this name")
	}
	if c.ready(ctx) {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
}

// prober is the interceptor of probes: the door's, and what reflection's library
// says in its own sentences is said in ours.
type prober struct{ *door }

// WrapStreamingHandler implements connect.Interceptor.
func (p prober) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return p.door.WrapStreamingHandler(func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		err := next(ctx, reflectingConn{conn})
		if refused := new(connect.Error); errors.As(err, &refused) && refused.Code() == connect.CodeInvalidArgument {
			return unreadable(refused.Code())
		}
		return err
	})
}

// reflectingConn sends the answers of reflection. One that nothing was found is
// an answer there, with a text for people.
type reflectingConn struct{ connect.StreamingHandlerConn }

// Send implements connect.StreamingHandlerConn.
func (c reflectingConn) Send(message any) error {
	if m, ok := message.(proto.Message); ok {
		sayNotFound(m.ProtoReflect())
	}
	return c.StreamingHandlerConn.Send(message)
}

// sayNotFound goes by names: the library keeps its messages' types to itself.
func sayNotFound(answer protoreflect.Message) {
	failure := answer.Descriptor().Fields().ByName("error_response")
	if failure == nil || !answer.Has(failure) {
		return
	}
	told := answer.Mutable(failure).Message()
	told.Set(told.Descriptor().Fields().ByName("error_message"), protoreflect.ValueOfString("this name is not known here"))
}
