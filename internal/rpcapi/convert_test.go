package rpcapi

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

var now = time.Date(2031, 3, 4, 9, 30, 0, 0, time.UTC)

// A field that the conversion forgets is never seen by anybody.
func TestEveryFieldOfABookingIsShown(t *testing.T) {
	t.Parallel()
	shown := toBooking(booking.Booking{
		ID: uuid.Max, ProviderID: "ben", CustomerID: "anna", Slot: booking.Slot{Start: now, End: now.Add(time.Hour)},
		Status: booking.StatusPending, Details: booking.Details{Note: "a note", Metadata: booking.Metadata{"a": "b"}}, Cancellation: &booking.Cancellation{Time: now},
		Reminder: booking.Reminder{DueTime: now, State: booking.ReminderSent}, Expiry: &booking.Expiry{Time: now},
		Version: 1, Moves: 1, CreateTime: now, UpdateTime: now,
	}, booking.Internal, now)
	checkEveryFieldIsSet(t, shown)
}

// One of a request's is silently without effect.
func TestEveryFieldOfARequestCounts(t *testing.T) {
	t.Parallel()
	asked := &bookingsv1.CreateBookingRequest{
		ProviderId: "ben", CustomerId: "anna", StartTime: timestamppb.New(now), EndTime: timestamppb.New(now.Add(time.Hour)),
		Note: "a note", IdempotencyKey: "a-key", ValidateOnly: true, Metadata: map[string]string{"a": "b"}, ReminderLeadSeconds: []int32{3600},
	}
	checkEveryFieldIsSet(t, asked)
	request := reflect.ValueOf(toRequest(asked))
	for _, field := range reflect.VisibleFields(request.Type()) {
		if request.FieldByIndex(field.Index).IsZero() {
			t.Errorf("%s is not asked for", field.Name)
		}
	}
}

func TestAnUpdateChangesWhatTheMaskNamesElseWhatIsSet(t *testing.T) {
	t.Parallel()
	note, none, facts := new("a note"), new(""), map[string]string{"a": "b"}
	some, nothing := new(booking.Metadata(facts)), new(booking.Metadata(nil))
	for _, test := range []struct {
		mask     []string
		note     *string
		metadata map[string]string
		want     booking.Patch
	}{
		{nil, nil, nil, booking.Patch{}},
		{nil, note, nil, booking.Patch{Note: note}},
		{nil, none, nil, booking.Patch{Note: none}},
		{nil, nil, facts, booking.Patch{Metadata: some}},
		{nil, note, facts, booking.Patch{Note: note, Metadata: some}},
		{[]string{"note"}, note, facts, booking.Patch{Note: note}},
		{[]string{"note"}, nil, facts, booking.Patch{Note: none}},
		{[]string{"metadata"}, note, facts, booking.Patch{Metadata: some}},
		{[]string{"metadata"}, note, nil, booking.Patch{Metadata: nothing}},
		{[]string{"metadata", "note"}, note, facts, booking.Patch{Note: note, Metadata: some}},
		{[]string{"metadata", "note"}, nil, nil, booking.Patch{Note: none, Metadata: nothing}},
	} {
		for _, mask := range []*fieldmaskpb.FieldMask{{Paths: test.mask}, nil} {
			if mask == nil && test.mask != nil {
				continue
			}
			got := toPatch(&bookingsv1.UpdateBookingRequest{Note: test.note, Metadata: test.metadata, UpdateMask: mask})
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v: %+v", test, got)
			}
		}
	}
}

func checkEveryFieldIsSet(t *testing.T, message protoreflect.ProtoMessage) {
	t.Helper()
	fields := message.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); !message.ProtoReflect().Has(field) {
			t.Errorf("%s is not set", field.Name())
		}
	}
}
