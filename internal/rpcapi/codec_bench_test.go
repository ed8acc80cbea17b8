package rpcapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// BenchmarkDecode is what a request costs before its method: the codec with the
// proto's rules.
func BenchmarkDecode(b *testing.B) {
	message := &bookingsv1.CreateBookingRequest{}
	text := []byte(`{"providerId":"paul","startTime":"2027-06-01T09:00:00Z","endTime":"2027-06-01T10:00:00Z","note":"a haircut","idempotencyKey":"first"}`)
	if err := decodeJSON(text, message); err != nil {
		b.Fatal(err)
	}
	binary, err := proto.Marshal(message)
	if err != nil {
		b.Fatal(err)
	}
	validator, err := newValidator()
	if err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string][]byte{"json": text, "proto": binary} {
		codec := deferredCodec{name: name, form: map[string]form{"json": formJSON, "proto": formBinary}[name]}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := &bookingsv1.CreateBookingRequest{}
				if err := codec.Unmarshal(data, request); err != nil {
					b.Fatal(err)
				}
				if err := decodeDeferred(request); err != nil {
					b.Fatal(err)
				}
				if err := validator.validate(request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncode is what an answer costs: a list of 50 bookings, as the caller
// sees them.
func BenchmarkEncode(b *testing.B) {
	now := time.Date(2027, 6, 1, 9, 0, 0, 0, time.UTC)
	paul := booking.Actor{Role: booking.RoleProvider, ID: "paul"}
	one := booking.Booking{
		ID: uuid.Must(uuid.NewV7()), ProviderID: "paul", CustomerID: "cara", Slot: booking.Slot{Start: now, End: now.Add(time.Hour)},
		Status: booking.StatusConfirmed, Details: booking.Details{Note: "a haircut"}, Reminder: booking.Reminder{DueTime: now, State: booking.ReminderScheduled},
		Version: 1, CreateTime: now, UpdateTime: now,
	}
	for _, codec := range deferredCodecs()[:2] {
		b.Run(fmt.Sprintf("50 bookings/%s", codec.name), func(b *testing.B) {
			b.ReportAllocs()
			var buffer []byte
			for b.Loop() {
				list := &bookingsv1.ListBookingsResponse{}
				for range 50 {
					list.Bookings = append(list.Bookings, toBooking(one, paul, now))
				}
				var err error
				if buffer, err = codec.MarshalAppend(buffer[:0], list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
