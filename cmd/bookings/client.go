package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	bookingsv1 "bookings/gen/bookings/v1"
)

// call calls a method of BookingService by gRPC, with JSON in and out.
func (p program) call(ctx context.Context, args []string) error {
	var address, token string
	words, err := p.flags("call", args, 2, func(f *flag.FlagSet) {
		f.StringVar(&address, "url", "http://localhost:8080", "the server")
		f.StringVar(&token, "token", "", "who calls")
	})
	if err != nil {
		return err
	}
	if len(words) != 2 {
		return fmt.Errorf("%w: bookings call METHOD JSON", errUsage)
	}
	service := bookingsv1.File_bookings_v1_booking_service_proto.Services().ByName("BookingService")
	method := service.Methods().ByName(protoreflect.Name(words[0]))
	if method == nil {
		return fmt.Errorf("%w: BookingService has no method %s", errUsage, words[0])
	}
	request := dynamicpb.NewMessage(method.Input())
	if err := protojson.Unmarshal([]byte(words[1]), request); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	response, err := callGRPC(ctx, strings.TrimSuffix(address, "/"), token, method, request)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, protojson.MarshalOptions{Multiline: true}.Format(response))
	return err
}

func callGRPC(ctx context.Context, address, token string, method protoreflect.MethodDescriptor, request *dynamicpb.Message) (*dynamicpb.Message, error) {
	client := newGRPCClient()
	defer client.CloseIdleConnections()
	path := fmt.Sprintf("%s/%s/%s", address, method.Parent().FullName(), method.Name())
	call := connect.NewRequest(request)
	call.Header().Set("Authorization", "Bearer "+token)
	response, err := connect.NewClient[dynamicpb.Message, dynamicpb.Message](client, path, connect.WithGRPC(),
		connect.WithSchema(method),
		connect.WithResponseInitializer(func(_ connect.Spec, message any) error {
			if dynamic, ok := message.(*dynamicpb.Message); ok {
				*dynamic = *dynamicpb.NewMessage(method.Output())
			}
			return nil
		})).CallUnary(ctx, call)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", method.Name(), err)
	}
	return response.Msg, nil
}

// newGRPCClient speaks HTTP/2, with and without TLS. It asks a server that is silent
// whether it is still there: a line that is cut without a word looks like a quiet one.
func newGRPCClient() *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP2(true)
	alive := &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	return &http.Client{Transport: &http.Transport{Protocols: &protocols, HTTP2: alive}}
}
