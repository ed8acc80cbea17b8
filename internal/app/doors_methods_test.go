package app

import (
	"context"
	"maps"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
)

// method is a unary method with its place at each door.
type method struct {
	procedure string
	// verb and path are the method's on REST; {id} stands for the request's.
	verb, path  string
	newResponse func() proto.Message
	// connect calls it with connect-go.
	connect func(ctx context.Context, client connect.HTTPClient, base string, c call, options ...connect.ClientOption) (proto.Message, http.Header, error)
}

// read tells that the method has no side effects.
func (m method) read() bool { return m.verb == http.MethodGet }

const (
	bookingService = "/bookings.v1.BookingService/"
	eventService   = "/bookings.v1.EventService/"
)

// methods are all unary methods, as the contract has them.
var methods = map[string]method{
	"CreateBooking":     unary[bookingsv1.CreateBookingRequest, bookingsv1.CreateBookingResponse](bookingService+"CreateBooking", "POST", "/v1/bookings"),
	"GetBooking":        unary[bookingsv1.GetBookingRequest, bookingsv1.GetBookingResponse](bookingService+"GetBooking", "GET", "/v1/bookings/{id}"),
	"ListBookings":      unary[bookingsv1.ListBookingsRequest, bookingsv1.ListBookingsResponse](bookingService+"ListBookings", "GET", "/v1/bookings"),
	"UpdateBooking":     unary[bookingsv1.UpdateBookingRequest, bookingsv1.UpdateBookingResponse](bookingService+"UpdateBooking", "PATCH", "/v1/bookings/{id}"),
	"ConfirmBooking":    unary[bookingsv1.ConfirmBookingRequest, bookingsv1.ConfirmBookingResponse](bookingService+"ConfirmBooking", "POST", "/v1/bookings/{id}:confirm"),
	"RescheduleBooking": unary[bookingsv1.RescheduleBookingRequest, bookingsv1.RescheduleBookingResponse](bookingService+"RescheduleBooking", "POST", "/v1/bookings/{id}:reschedule"),
	"CancelBooking":     unary[bookingsv1.CancelBookingRequest, bookingsv1.CancelBookingResponse](bookingService+"CancelBooking", "POST", "/v1/bookings/{id}:cancel"),
	"CancelBookings":    unary[bookingsv1.CancelBookingsRequest, bookingsv1.CancelBookingsResponse](bookingService+"CancelBookings", "POST", "/v1/bookings:cancel"),
	"CompleteBooking":   unary[bookingsv1.CompleteBookingRequest, bookingsv1.CompleteBookingResponse](bookingService+"CompleteBooking", "POST", "/v1/bookings/{id}:complete"),
	"MarkBookingNoShow": unary[bookingsv1.MarkBookingNoShowRequest, bookingsv1.MarkBookingNoShowResponse](bookingService+"MarkBookingNoShow", "POST", "/v1/bookings/{id}:markNoShow"),
	"ListBookingEvents": unary[bookingsv1.ListBookingEventsRequest, bookingsv1.ListBookingEventsResponse](bookingService+"ListBookingEvents", "GET", "/v1/bookings/{id}/events"),
	"ListEvents":        unary[bookingsv1.ListEventsRequest, bookingsv1.ListEventsResponse](eventService+"ListEvents", "GET", "/v1/events"),
}

func unary[Request, Response any](procedure, verb, path string) method {
	return method{
		procedure:   procedure,
		verb:        verb,
		path:        path,
		newResponse: func() proto.Message { return any(new(Response)).(proto.Message) },
		connect: func(ctx context.Context, client connect.HTTPClient, base string, c call, options ...connect.ClientOption) (proto.Message, http.Header, error) {
			message, ok := any(c.request).(*Request)
			if !ok {
				message = new(Request) // c.raw is sent
			}
			request := connect.NewRequest(message)
			maps.Copy(request.Header(), c.header)
			response, err := connect.NewClient[Request, Response](client, base+procedure, options...).CallUnary(ctx, request)
			if err != nil {
				return nil, nil, err
			}
			return any(response.Msg).(proto.Message), response.Header(), nil
		},
	}
}
