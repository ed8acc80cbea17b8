package app

import (
	"errors"
	"maps"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"bookings/internal/booking"
)

// call is one call of a method, whatever the door.
type call struct {
	method  string
	request proto.Message
	// raw is sent in place of the request where it is not nil.
	raw    []byte
	header http.Header
}

// The forms that a message is sent in.
const (
	formJSON  = "json"
	formProto = "proto"
)

// door is a way to call methods.
type door struct {
	name string
	form string
	call func(*instance, call) answer
	// get tells that it reads by GET.
	get bool
	// grpc tells that it speaks gRPC or gRPC-Web, and takes the internal token.
	grpc bool
}

// doors are all ways to call a unary method, each with a real client.
var doors = []door{
	{name: "Connect", form: formProto, call: viaConnect(formProto, http1)},
	{name: "Connect JSON", form: formJSON, call: viaConnect(formJSON, http1)},
	{name: "Connect GET", form: formProto, call: viaConnect(formProto, http1, connect.WithHTTPGet()), get: true},
	{name: "Connect GET JSON", form: formJSON, call: viaConnect(formJSON, http1, connect.WithHTTPGet()), get: true},
	{name: "Connect over HTTP/2", form: formProto, call: viaConnect(formProto, http2)},
	{name: "curl", form: formJSON, call: curl},
	{name: "REST", form: formJSON, call: rest},
	{name: "gRPC-Web", form: formProto, call: viaConnect(formProto, http1, connect.WithGRPCWeb()), grpc: true},
	{name: "gRPC-Web JSON", form: formJSON, call: viaConnect(formJSON, http1, connect.WithGRPCWeb()), grpc: true},
	{name: "gRPC", form: formProto, call: viaConnect(formProto, http2, connect.WithGRPC()), grpc: true},
	{name: "gRPC JSON", form: formJSON, call: viaConnect(formJSON, http2, connect.WithGRPC()), grpc: true},
	{name: "grpc-go", form: formProto, call: grpcGo, grpc: true},
}

func http1(i *instance) http.RoundTripper { return i.http1 }
func http2(i *instance) http.RoundTripper { return i.http2 }

// viaConnect calls with connect-go.
func viaConnect(form string, transport func(*instance) http.RoundTripper, options ...connect.ClientOption) func(*instance, call) answer {
	return func(i *instance, c call) answer {
		i.t.Helper()
		m := methods[c.method]
		recorded := &recorder{next: transport(i)}
		all := append([]connect.ClientOption{connect.WithCodec(codec{form: form, raw: c.raw})}, options...)
		if m.read() {
			all = append(all, connect.WithIdempotency(connect.IdempotencyNoSideEffects))
		}
		response, header, err := m.connect(i.t.Context(), &http.Client{Transport: recorded}, i.url(), c, all...)
		a := recorded.answer(i.t, err)
		a.verb = recorded.verb
		a.response = response
		if err != nil {
			a.status, header = connectError(err)
		}
		maps.Copy(a.header, header)
		return a
	}
}

// connectError is what connect-go made of an error, and its metadata.
func connectError(err error) (*status.Status, http.Header) {
	var told *connect.Error
	if !errors.As(err, &told) {
		return &status.Status{Code: int32(connect.CodeUnknown), Message: err.Error()}, nil
	}
	found := &status.Status{Code: int32(told.Code()), Message: told.Message()}
	for _, detail := range told.Details() {
		found.Details = append(found.Details, &anypb.Any{TypeUrl: "type.googleapis.com/" + detail.Type(), Value: detail.Bytes()})
	}
	return found, told.Meta()
}

// as are the credentials of a person.
func (i *instance) as(role booking.Role, user string) http.Header {
	i.t.Helper()
	return http.Header{"Authorization": {"Bearer " + i.token(role, user)}}
}

// asInternal are the credentials of a service of ours.
func asInternal() http.Header { return http.Header{"X-Internal-Token": {testInternal}} }
