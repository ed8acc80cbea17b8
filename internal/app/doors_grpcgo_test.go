package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"bookings/internal/pgtest"
)

// grpcGo calls with grpc-go.
func grpcGo(i *instance, c call) answer {
	i.t.Helper()
	if c.raw != nil {
		c.request = &emptypb.Empty{} // grpc-go sends nothing for nil
	}
	m := methods[c.method]
	ctx := metadata.NewOutgoingContext(i.t.Context(), outgoing(c.header))
	var header, trailer metadata.MD
	response := m.newResponse()
	err := i.grpc().Invoke(ctx, m.procedure, c.request, response,
		grpc.Header(&header), grpc.Trailer(&trailer), grpc.ForceCodec(codec{form: formProto, raw: c.raw}))
	a := answer{header: http.Header{}}
	for _, all := range []metadata.MD{header, trailer} {
		for name, values := range all {
			a.header[http.CanonicalHeaderKey(name)] = values
		}
	}
	a.text = fmt.Sprint(a.header)
	if err != nil {
		a.status = status.Convert(err).Proto()
		return a
	}
	a.response = response
	return a
}

func outgoing(header http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range header {
		md[strings.ToLower(name)] = values
	}
	return md
}

// grpc is a connection of grpc-go's.
func (i *instance) grpc() *grpc.ClientConn {
	i.t.Helper()
	secured := insecure.NewCredentials()
	if i.tls != nil {
		secured = credentials.NewTLS(i.tls)
	}
	conn, err := grpc.NewClient("passthrough:///"+i.addr, grpc.WithTransportCredentials(secured))
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const (
	serving    = grpc_health_v1.HealthCheckResponse_SERVING
	notServing = grpc_health_v1.HealthCheckResponse_NOT_SERVING
)

// checkHealth asks gRPC's health service about everything that there is.
func (i *instance) checkHealth(want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	i.t.Helper()
	client := grpc_health_v1.NewHealthClient(i.grpc())
	for _, service := range []string{"", "bookings.v1.BookingService", "bookings.v1.EventService"} {
		got, err := client.Check(i.t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil || got.GetStatus() != want {
			i.t.Errorf("%q: %v (%v), want %v", service, got, err, want)
		}
	}
	_, err := client.Check(i.t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "nothing"})
	if status.Code(err) != codes.NotFound {
		i.t.Errorf("an unknown service: %v", err)
	}
}

func TestGRPCHealthFollowsReadiness(t *testing.T) {
	t.Parallel()
	proxy, url := newProxy(t, pgtest.URL(t))
	i := start(t, func(s *Settings) { s.DatabaseURL, s.Worker = url, false })
	i.checkHealth(serving)
	proxy.cut()
	i.awaitf(func() bool { status, _ := i.readiness(); return status == http.StatusServiceUnavailable }, "readiness off") // within a second
	i.checkHealth(notServing)
}

func TestReflectionNamesTheServices(t *testing.T) {
	t.Parallel()
	i := bare(t, limit(newClockwork()))
	want := []string{"bookings.v1.BookingService", "bookings.v1.EventService", "grpc.health.v1.Health"}
	for range 70 { // and nobody counts
		if got := i.reflectV1(); !slices.Equal(got, want) {
			t.Fatalf("V1 names %v", got)
		}
		if got := i.reflectV1Alpha(); !slices.Equal(got, want) {
			t.Fatalf("V1Alpha names %v", got)
		}
	}
}

func (i *instance) reflectV1() []string {
	i.t.Helper()
	stream, err := grpc_reflection_v1.NewServerReflectionClient(i.grpc()).ServerReflectionInfo(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	ask := &grpc_reflection_v1.ServerReflectionRequest_ListServices{}
	if err := stream.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: ask}); err != nil {
		i.t.Fatal(err)
	}
	told, err := stream.Recv()
	if err != nil {
		i.t.Fatal(err)
	}
	_ = stream.CloseSend()
	return names(told.GetListServicesResponse().GetService())
}

func (i *instance) reflectV1Alpha() []string {
	i.t.Helper()
	stream, err := grpc_reflection_v1alpha.NewServerReflectionClient(i.grpc()).ServerReflectionInfo(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	ask := &grpc_reflection_v1alpha.ServerReflectionRequest_ListServices{}
	if err := stream.Send(&grpc_reflection_v1alpha.ServerReflectionRequest{MessageRequest: ask}); err != nil {
		i.t.Fatal(err)
	}
	told, err := stream.Recv()
	if err != nil {
		i.t.Fatal(err)
	}
	_ = stream.CloseSend()
	return names(told.GetListServicesResponse().GetService())
}

func names[S interface{ GetName() string }](services []S) []string {
	all := make([]string, 0, len(services))
	for _, service := range services {
		all = append(all, service.GetName())
	}
	slices.Sort(all)
	return all
}
