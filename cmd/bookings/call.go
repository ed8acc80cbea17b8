package main

import (
	"context"
	"flag"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	bookings "bookings/clients/go"
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
	if service.Methods().ByName(protoreflect.Name(words[0])) == nil {
		return fmt.Errorf("%w: BookingService has no method %s", errUsage, words[0])
	}
	client, err := bookings.New(bookings.Options{URL: address, Token: bookings.StaticToken(token)})
	if err != nil {
		return fmt.Errorf("%w: --url: %w", errUsage, err)
	}
	defer client.Close()
	response, err := callByName(ctx, client, words[0], []byte(words[1]))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, protojson.MarshalOptions{Multiline: true}.Format(response))
	return err
}

// callByName calls the client's method of that name.
func callByName(ctx context.Context, client *bookings.Client, name string, text []byte) (proto.Message, error) {
	method := reflect.ValueOf(client.BookingServiceClient).MethodByName(name)
	request := reflect.New(method.Type().In(1).Elem())
	if err := protojson.Unmarshal(text, asMessage(request)); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
	if err, failed := reflect.TypeAssert[error](results[1]); failed {
		return nil, fmt.Errorf("call %s: %w", name, err)
	}
	return asMessage(results[0]), nil
}

func asMessage(value reflect.Value) proto.Message {
	message, _ := reflect.TypeAssert[proto.Message](value)
	return message
}
