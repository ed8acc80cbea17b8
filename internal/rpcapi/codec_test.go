package rpcapi

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// FuzzJSONIsReadOrHasAFault: a codec that failed would let connect answer in its
// own words.
func FuzzJSONIsReadOrHasAFault(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"note":"a"}`, `{"note":5}`, `{"a":1}`, `{"note":"\ud800"}`, `[]`, ``, `{"startTime":"2026-01-01T00:00:00Z"}`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read, known bookingsv1.CreateBookingRequest
		if err := newJSONCodec().Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		fault, found := findFault(&read)
		if err := protojson.Unmarshal(data, &known); found != (err != nil) {
			t.Fatalf("fault %v, but protojson says %v", fault, err)
		}
		if found && (fault.Description == "" || len(read.ProtoReflect().GetUnknown()) == 0) {
			t.Fatalf("fault %v", fault)
		}
		if !found && !proto.Equal(&read, &known) {
			t.Fatalf("%v, but protojson read %v", &read, &known)
		}
	})
}

func FuzzBinaryIsReadOrHasAFault(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x2a\x01\xff"))
	f.Add(protowire.AppendBytes(protowire.AppendTag(nil, faultField, protowire.BytesType), []byte(`{"Field":"a"}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var read, known bookingsv1.CreateBookingRequest
		unmarshalBinary(data, &read)
		fault, found := findFault(&read)
		if err := proto.Unmarshal(data, &known); found != (err != nil) {
			t.Fatalf("fault %v, but protobuf says %v", fault, err)
		}
	})
}

// The nonce is what keeps a caller from leaving a fault of its own making.
func TestCallersCannotLeaveFaults(t *testing.T) {
	t.Parallel()
	note, err := json.Marshal(booking.FieldViolation{Field: "a", Description: "b"})
	if err != nil {
		t.Fatal(err)
	}
	for _, guess := range []string{"", strings.Repeat("A", len(faultNonce)), string(faultNonce[1:])} {
		raw := protowire.AppendTag(nil, faultField, protowire.BytesType)
		raw = protowire.AppendBytes(raw, append([]byte(guess), note...))
		var read bookingsv1.CreateBookingRequest
		unmarshalBinary(raw, &read)
		if fault, found := findFault(&read); found {
			t.Errorf("%q left %v", guess, fault)
		}
	}
}

// A fault is found in the form in which Vanguard hands a message on.
func TestFaultsSurviveTheBinaryForm(t *testing.T) {
	t.Parallel()
	left := booking.FieldViolation{Field: "note", Description: "is odd"}
	message := &bookingsv1.CreateBookingRequest{ProviderId: "paul"}
	leaveFault(message, left)
	data, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var read bookingsv1.CreateBookingRequest
	unmarshalBinary(append(data, 0x0a, 0x01, 'p'), &read) // a path variable behind it
	if fault, found := findFault(&read); !found || fault != left {
		t.Errorf("found %v (%v), want %v", fault, found, left)
	}
}
