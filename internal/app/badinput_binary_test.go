package app

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// year10000 is the first second that a timestamp must not name.
const year10000 = 253402300800

func TestBinaryTimesOutsideTheCalendarAreRefused(t *testing.T) {
	t.Parallel()
	type create = bookingsv1.CreateBookingRequest
	from := func(change func(at *timestamppb.Timestamp)) call {
		return trial(func(r *create) { change(r.GetStartTime()) })
	}
	i := start(t)
	i.check([]bad{
		{"year 10000", from(func(at *timestamppb.Timestamp) { at.Seconds = year10000 }), invalid + "start_time"},
		{"year 0", from(func(at *timestamppb.Timestamp) { at.Seconds = -62135596801 }), invalid + "start_time"},
		{"the greatest", from(func(at *timestamppb.Timestamp) { at.Seconds = 1<<63 - 1 }), invalid + "start_time"},
		{"the least", from(func(at *timestamppb.Timestamp) { at.Seconds = -1 << 63 }), invalid + "start_time"},
		{"2e9 ns", from(func(at *timestamppb.Timestamp) { at.Nanos = 2e9 }), invalid + "start_time"},
		{"1e9 ns", from(func(at *timestamppb.Timestamp) { at.Nanos = 1e9 }), invalid + "start_time"},
		{"-1 ns", from(func(at *timestamppb.Timestamp) { at.Nanos = -1 }), invalid + "start_time"},
		{"both", trial(func(r *create) { r.StartTime.Nanos, r.EndTime.Nanos = -1, -1 }), invalid + "end_time,start_time"},
		{"a list", call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{
			StartTimeFrom: &timestamppb.Timestamp{Seconds: year10000}, StartTimeTo: &timestamppb.Timestamp{Nanos: -1},
		}}, invalid + "start_time_from,start_time_to"},
	}, inForm(formProto))
	moved := &bookingsv1.RescheduleBookingRequest{Id: nobodys, StartTime: &timestamppb.Timestamp{Nanos: -1}, EndTime: stamp(soon(1))}
	i.check([]bad{{"a move", call{method: "RescheduleBooking", request: moved}, invalid + "start_time"}}, inForm(formProto))
}

// binary is a request that passes and books nothing, with more bytes behind.
func binary(t *testing.T, more ...byte) []byte {
	t.Helper()
	good, err := proto.Marshal(trial(func(*bookingsv1.CreateBookingRequest) {}).request)
	if err != nil {
		t.Fatal(err)
	}
	return append(good, more...)
}

func text(field protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), value)
}

func number(field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), value)
}

func TestBinaryOfTheWrongShapeIsRefused(t *testing.T) {
	t.Parallel()
	with := func(name string, more []byte, want string) bad { return raw(name, string(binary(t, more...)), want) }
	start(t).check([]bad{
		with("good", nil, fine),
		with("unknown field", text(999, "a"), fine),
		with("the field of our own notes", text(19500, `{"Field":"a","Description":"b"}`), fine),
		with("field twice: the last counts", text(5, "again"), fine),
		with("number for text is an unknown field", number(5, 7), fine),
		with("no UTF-8 in note", text(5, "\xff"), invalid+"body"),
		with("no UTF-8 in provider", text(1, "\xc0\x80"), invalid+"body"),
		with("half a surrogate pair", text(5, "\xed\xa0\x80"), invalid+"body"),
		with("NUL in note", text(5, "\x00"), invalid+"note"),
		with("cut short", []byte{0x2a, 200}, invalid+"body"),
		with("field 0", []byte{0x02, 0x00}, invalid+"body"),
		with("group without end", []byte{0x0b}, invalid+"body"),
		with("endless number", slices.Repeat([]byte{0xff}, 20), invalid+"body"),
		with("deep groups", slices.Repeat([]byte{0x0b}, 30000), invalid+"body"),
		raw("JSON", body(), invalid+"body"),
		raw("number for time", string(number(3, 7)), invalid+"end_time,start_time"),
		raw("nothing", "", invalid+"end_time,start_time"),
	}, inForm(formProto))
}

// Over gRPC an answer about faults is in headers: it must not grow with them.
func TestAnswersAboutManyFaultsStaySmall(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, door := range doors {
		// One violation, not one for each value, which would take seconds.
		c, want := call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{Statuses: make([]bookingsv1.BookingStatus, 60000)}}, invalid+"statuses"
		if door.form == formJSON || door.get { // too long for a query
			c, want = call{method: "CreateBooking", raw: []byte(body(`"` + strings.Repeat("ж", 20000) + `":1`))}, invalid+"*"
		}
		c.header = i.as(booking.RoleCustomer, "cara")
		got := door.call(i, c)
		checkVerdict(t, door.name, got, want)
		if len(got.text) > 4<<10 {
			t.Errorf("%s: an answer of %d bytes", door.name, len(got.text))
		}
	}
}
