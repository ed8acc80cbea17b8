package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	bookingsv1 "bookings/gen/bookings/v1"
)

// listen prints a feed's frames, a line each, until the socket ends.
func (p program) listen(ctx context.Context, args []string) error {
	var address, token, after string
	_, err := p.flags("listen", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&address, "url", "ws://localhost:8080", "the server")
		f.StringVar(&token, "token", "", "whose feed")
		f.StringVar(&after, "after", "", "resume after this sequence")
	})
	if err != nil {
		return err
	}
	address = strings.TrimSuffix(address, "/") + "/ws"
	if after != "" {
		address += "?after=" + url.QueryEscape(after)
	}
	//nolint:bodyclose // websocket.Dial has closed it
	conn, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		if response != nil {
			return fmt.Errorf("the server refused: %s", response.Status)
		}
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for {
		_, message, err := conn.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("the socket ended: %w", err)
		}
		fmt.Fprintf(p.stdout, "%s\n", message)
	}
}

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
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &protocols}}
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
