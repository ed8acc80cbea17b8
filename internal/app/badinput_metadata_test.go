package app

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// facts are so many entries of metadata.
func facts(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		all[fmt.Sprint("key-", i)] = strings.Repeat("𝄞", 500)
	}
	return all
}

// wrongFacts are metadata by the field that is at fault.
var wrongFacts = []struct {
	name     string
	metadata map[string]string
	want     string
}{
	{"20 entries", facts(20), fine},
	{"21 entries", facts(21), invalid + "metadata"},
	{"a value of 501 characters", map[string]string{"a": strings.Repeat("𝄞", 501)}, invalid + `metadata["a"]`},
	{"a NUL in a value", map[string]string{"a": "b\x00"}, invalid + `metadata["a"]`},
	{"an empty value", map[string]string{"a": ""}, fine},
	{"a key of 40 characters", map[string]string{strings.Repeat("Az09_.-k", 5): ""}, fine},
	{"a key of 41 characters", map[string]string{strings.Repeat("k", 41): ""}, invalid + `metadata["` + strings.Repeat("k", 41) + `"]`},
	{"an empty key", map[string]string{"": "a"}, invalid + `metadata[""]`},
	{"a space in a key", map[string]string{"a b": "", "c": ""}, invalid + `metadata["a b"]`},
	{"a line break behind a key", map[string]string{"a\n": ""}, invalid + `metadata["a\n"]`},
	{"a key beyond ASCII", map[string]string{"ж": ""}, invalid + `metadata["ж"]`},
}

func TestWrongMetadataIsNamed(t *testing.T) {
	t.Parallel()
	i := start(t)
	paul := i.as(booking.RoleProvider, "paul")
	id := i.book("cara", 5)
	var calls []bad
	for _, wrong := range wrongFacts {
		calls = append(calls, bad{"create: " + wrong.name, trial(func(r *bookingsv1.CreateBookingRequest) { r.Metadata = wrong.metadata }), wrong.want})
		update := &bookingsv1.UpdateBookingRequest{Id: id, Metadata: wrong.metadata}
		calls = append(calls, bad{"update: " + wrong.name, call{method: "UpdateBooking", request: update, header: paul}, wrong.want})
	}
	i.check(calls, anyDoor)
}

func TestWrongUpdatesAreNamed(t *testing.T) {
	t.Parallel()
	i := start(t)
	id := i.book("cara", 5)
	update := func(name, want string, change func(*bookingsv1.UpdateBookingRequest)) bad {
		request := &bookingsv1.UpdateBookingRequest{Id: id}
		change(request)
		return bad{name, call{method: "UpdateBooking", request: request}, want}
	}
	masked := func(want string, paths ...string) bad {
		return update(fmt.Sprintf("mask %q", paths), want, func(r *bookingsv1.UpdateBookingRequest) {
			r.UpdateMask = &fieldmaskpb.FieldMask{Paths: paths}
		})
	}
	i.check([]bad{
		update("nothing", fine, func(*bookingsv1.UpdateBookingRequest) {}),
		update("a note of 1001 characters", invalid+"note", func(r *bookingsv1.UpdateBookingRequest) { r.Note = new(strings.Repeat("𝄞", 1001)) }),
		update("a NUL in a note", invalid+"note", func(r *bookingsv1.UpdateBookingRequest) { r.Note = new("\x00") }),
		masked(fine),
		masked(fine, "note", "metadata", "note"),
		masked(invalid+"update_mask", "note", "status"),
		masked(invalid+"update_mask", "id"),
		masked(invalid+"update_mask", "etag"),
		masked(invalid+"update_mask", "version"),
		masked(invalid+"update_mask", "start_time"),
		masked(invalid+"update_mask", "booking.note"),
		masked(invalid+"update_mask", "metadata.service"),
		masked(invalid+"update_mask", "notes"),
	}, anyDoor)
	i.check([]bad{masked(invalid+"update_mask", ""), masked(invalid+"update_mask", "*")}, inForm(formProto)) // which JSON cannot say
}

func TestUpdatesInJSONNameTheField(t *testing.T) {
	t.Parallel()
	i := start(t)
	id := i.book("cara", 5)
	for fields, want := range map[string]string{
		`"updateMask":"note,metadata","note":"a","metadata":{"a":"b"}`: fine,
		`"update_mask":"metadata"`:                                     fine,
		`"updateMask":"","note":"b"`:                                   fine,
		`"updateMask":null,"metadata":null`:                            fine,
		`"updateMask":"start_time"`:                                    invalid + "update_mask",
		`"updateMask":"*"`:                                             invalid + "update_mask",
		`"updateMask":"startTime"`:                                     invalid + "update_mask",
		`"updateMask":"note, metadata"`:                                invalid + "update_mask",
		`"updateMask":["note"]`:                                        invalid + "update_mask",
		`"updateMask":{"paths":["note"]}`:                              invalid + "update_mask",
		`"updateMask":"note","updateMask":"metadata"`:                  invalid + "body",
		`"updateMask":"note","update_mask":"metadata"`:                 invalid + "body",
		`"metadata":{"a":1}`:                                           invalid + "metadata",
		`"metadata":{"a":null}`:                                        invalid + "metadata",
		`"metadata":{"a":"b","a":"c"}`:                                 invalid + "metadata",
		`"metadata":["a"]`:                                             invalid + "metadata",
		`"metadata":"a"`:                                               invalid + "metadata",
		`"metadata":{"a":"\u0000"}`:                                    invalid + `metadata["a"]`,
		`"metadata":{"a":"\ud800"}`:                                    invalid + "metadata",
		`"status":"BOOKING_STATUS_CANCELLED"`:                          invalid + "status",
		`"version":"7"`:                                                invalid + "version",
	} {
		header := i.as(booking.RoleCustomer, "cara")
		checkVerdict(t, "REST "+fields, i.rest(i.sendBody("PATCH", "/v1/bookings/"+id, []byte("{"+fields+"}"), header), "UpdateBooking"), want)
		checkVerdict(t, "curl "+fields, curl(i, call{method: "UpdateBooking", raw: []byte(`{"id":"` + id + `",` + fields + "}"), header: header}), want)
	}
	mixed := i.sendBody("PATCH", "/v1/bookings/"+id+"?updateMask=note", []byte(`{}`), i.as(booking.RoleCustomer, "cara"))
	checkVerdict(t, "a mask in the query", i.rest(mixed, "UpdateBooking"), invalid+"updateMask")
}

// The proto's rules are asked of each entry: of as many as a body holds, that
// would take seconds, and the answer would not fit a header.
func TestManyWrongEntriesMakeASmallAnswer(t *testing.T) {
	t.Parallel()
	i := start(t)
	many := map[string]string{}
	for n := range 4000 {
		many[fmt.Sprint(n, "!")] = ""
	}
	some := maps.Clone(many)
	maps.DeleteFunc(some, func(key, _ string) bool { return len(key) > 2 })
	for _, door := range doors {
		for _, entries := range []map[string]string{many, some} {
			c := call{method: "UpdateBooking", request: &bookingsv1.UpdateBookingRequest{Id: nobodys, Metadata: entries}, header: i.as(booking.RoleCustomer, "cara")}
			got := door.call(i, c)
			checkVerdict(t, door.name, got, invalid+"*")
			if len(got.text) > 8<<10 {
				t.Errorf("%s: an answer of %d bytes", door.name, len(got.text))
			}
		}
	}
}
