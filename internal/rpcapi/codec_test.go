package rpcapi

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// through is what a method is given of bytes that came through connect.
func through(t *testing.T, name string, data []byte) (*bookingsv1.CreateBookingRequest, error) {
	t.Helper()
	read := &bookingsv1.CreateBookingRequest{}
	for _, codec := range deferredCodecs() {
		if codec.name == name {
			// A codec that failed would let connect answer in its own words.
			if err := codec.Unmarshal(data, read); err != nil {
				t.Fatal(err)
			}
			clear(data) // connect uses its buffer again
			return read, decodeDeferred(read)
		}
	}
	t.Fatalf("no codec is called %s", name)
	return nil, nil
}

// checkFault checks that an error says of a field what is wrong with it.
func checkFault(t *testing.T, err error) {
	t.Helper()
	known, ok := err.(*booking.Error) //nolint:errorlint // as it is made
	if !ok || known.Reason != booking.ReasonValidationFailed || len(known.Fields) != 1 || known.Fields[0].Description == "" {
		t.Fatalf("refused with %v", err)
	}
}

func FuzzJSONIsReadOrNamesAField(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"note":"a"}`, `{"note":5}`, `{"a":1}`, `{"note":"\ud800"}`, `[]`, ``, `{"startTime":"2026-01-01T00:00:00Z"}`, `{"endTime":"2026-01-01T00:00:00+24:00"}`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var known bookingsv1.CreateBookingRequest
		wrong := protojson.Unmarshal(data, &known)
		misspelled := wrong == nil && misspelledTimes(data, &known) != nil // protojson is too kind
		read, err := through(t, "json", data)
		switch {
		case err != nil && (wrong != nil || misspelled):
			checkFault(t, err)
		case err != nil || wrong != nil:
			t.Fatalf("refused with %v, but protojson says %v", err, wrong)
		case !proto.Equal(read, &known):
			t.Fatalf("%v, but protojson read %v", read, &known)
		}
	})
}

func FuzzBinaryIsReadOrRefused(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x2a\x01a"))
	f.Add([]byte("\x2a\x01\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var known bookingsv1.CreateBookingRequest
		wrong := proto.Unmarshal(data, &known)
		read, err := through(t, "proto", data)
		switch {
		case err != nil && wrong != nil:
			checkFault(t, err)
		case err != nil || wrong != nil:
			t.Fatalf("refused with %v, but protobuf says %v", err, wrong)
		case !proto.Equal(read, &known):
			t.Fatalf("%v, but protobuf read %v", read, &known)
		}
	})
}
