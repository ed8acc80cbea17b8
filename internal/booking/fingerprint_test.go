package booking_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"bookings/internal/booking"
)

var asked = booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now), Details: booking.Details{Note: "a note"}}

func TestTheSameCallHasTheSameFingerprint(t *testing.T) {
	t.Parallel()
	elsewhere := asked
	elsewhere.Slot.Start = asked.Slot.Start.In(time.FixedZone("Kathmandu", 20_700))
	one, other := booking.Fingerprint(customer, asked), booking.Fingerprint(customer, elsewhere)
	if !bytes.Equal(one, other) || len(one) != 32 {
		t.Errorf("%x is not %x", one, other)
	}
}

func TestAnotherCallHasAnotherFingerprint(t *testing.T) {
	t.Parallel()
	calls := map[string]func(*booking.Actor, *booking.Request){
		"nothing":          func(*booking.Actor, *booking.Request) {},
		"the role":         func(by *booking.Actor, _ *booking.Request) { by.Role = booking.RoleProvider },
		"the caller":       func(by *booking.Actor, _ *booking.Request) { by.ID = "Anna" },
		"the customer":     func(_ *booking.Actor, r *booking.Request) { r.CustomerID = "carl" },
		"the start":        func(_ *booking.Actor, r *booking.Request) { r.Slot.Start = r.Slot.Start.Add(time.Microsecond) },
		"the end":          func(_ *booking.Actor, r *booking.Request) { r.Slot.End = r.Slot.End.Add(time.Microsecond) },
		"the note":         func(_ *booking.Actor, r *booking.Request) { r.Note += " " },
		"the note's bytes": func(_ *booking.Actor, r *booking.Request) { r.Note = "a\u00a0note" },
		"leads":            func(_ *booking.Actor, r *booking.Request) { r.Leads = leads },
		"other leads":      func(_ *booking.Actor, r *booking.Request) { r.Leads = booking.Leads{time.Hour} },
		"more leads":       func(_ *booking.Actor, r *booking.Request) { r.Leads = booking.Leads{time.Hour, lead} },
		"in another order": func(_ *booking.Actor, r *booking.Request) { r.Leads = booking.Leads{lead, time.Hour} },
		"no note":          func(_ *booking.Actor, r *booking.Request) { r.Note = "" },
		"metadata":         metadata("a", "b"),
		"another value":    metadata("a", "c"),
		"no value":         metadata("a", ""),
		"another key":      metadata("b", "b"),
		"another case":     metadata("A", "b"),
		"two entries":      metadata("a", "b", "c", "d"),
		"two crosswise":    metadata("a", "d", "c", "b"),
		"one of the two":   metadata("c", "d"),
	}
	seen := map[string]string{}
	for name, differ := range calls {
		by, request := customer, asked
		differ(&by, &request)
		mark := string(booking.Fingerprint(by, request))
		if other, ok := seen[mark]; ok {
			t.Errorf("%s and %s are one call", name, other)
		}
		seen[mark] = name
	}
}

func metadata(pairs ...string) func(*booking.Actor, *booking.Request) {
	return func(_ *booking.Actor, r *booking.Request) {
		r.Metadata = booking.Metadata{}
		for i := 0; i < len(pairs); i += 2 {
			r.Metadata[pairs[i]] = pairs[i+1]
		}
	}
}

// They are stored: a call has the same one in every version, whatever the order
// that a map has today. (That of a call without metadata is with the migrations'.)
func TestAFingerprintStays(t *testing.T) {
	t.Parallel()
	many := asked
	many.Metadata = booking.Metadata{"b": "2", "a": "1", "B": "3", "a.b": "4"}
	const want = "4fa57b887726d2c20119b25b9a26a90d15b49c7ad863a69866d3cbdaed802305"
	for range 20 {
		if got := hex.EncodeToString(booking.Fingerprint(customer, many)); got != want {
			t.Fatalf("it is %s", got)
		}
	}
}

func TestNoMetadataIsTheSameCallHoweverItIsSaid(t *testing.T) {
	t.Parallel()
	none := asked
	none.Metadata = booking.Metadata{}
	if !bytes.Equal(booking.Fingerprint(customer, none), booking.Fingerprint(customer, asked)) {
		t.Error("an empty map is another call than none")
	}
}

// However a text is split over the parts, two splits are two calls.
func TestPartsDoNotRunTogether(t *testing.T) {
	t.Parallel()
	const text = "aaaa\x00aaaa"
	seen := map[string]bool{}
	for i := range len(text) + 1 {
		for j := i; j <= len(text); j++ {
			by := booking.Actor{Role: booking.RoleCustomer, ID: text[:i]}
			mark := string(booking.Fingerprint(by, booking.Request{CustomerID: text[i:j], Slot: asked.Slot, Details: booking.Details{Note: text[j:]}}))
			if seen[mark] {
				t.Errorf("split at %d and %d it is another call's", i, j)
			}
			seen[mark] = true
		}
	}
}

// A field that the fingerprint forgets lets a call be answered with the booking
// of another call.
func TestEveryFieldOfARequestIsInTheFingerprint(t *testing.T) {
	t.Parallel()
	// A key is looked up at its provider; a trial has no key.
	outside := map[string]bool{"ProviderID": true, "IdempotencyKey": true, "ValidateOnly": true}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[booking.Request]()) {
		if field.Anonymous {
			continue // its fields come by themselves
		}
		request := asked
		alter(t, reflect.ValueOf(&request).Elem().FieldByIndex(field.Index))
		same := bytes.Equal(booking.Fingerprint(customer, request), booking.Fingerprint(customer, asked))
		if same != outside[field.Name] {
			t.Errorf("with another %s it is the same call: %t", field.Name, same)
		}
	}
}

// alter makes another value of a field.
func alter(t *testing.T, field reflect.Value) {
	t.Helper()
	switch value := field.Interface().(type) {
	case string:
		field.SetString(value + "x")
	case booking.Leads:
		field.Set(reflect.ValueOf(append(value, time.Hour)))
	case bool:
		field.SetBool(!value)
	case booking.Metadata:
		field.Set(reflect.ValueOf(booking.Metadata{"key": "value"}))
	case booking.Slot:
		field.Set(reflect.ValueOf(booking.Slot{Start: value.Start.Add(time.Second), End: value.End}))
	default:
		t.Fatalf("this test knows no other %T", value)
	}
}
