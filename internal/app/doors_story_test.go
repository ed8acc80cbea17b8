package app

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// story is the life of two bookings, told through one door.
type story struct {
	*instance
	door  door
	begun time.Time
	told  []string
}

//nolint:tparallel // the doors are compared once all have told
func TestTheSameCallsThroughAnyDoorHaveTheSameResults(t *testing.T) {
	t.Parallel()
	begun := time.Now().UTC().Truncate(time.Hour)
	told := make([][]string, len(doors))
	t.Run("doors", func(t *testing.T) {
		for n, door := range doors {
			t.Run(door.name, func(t *testing.T) {
				t.Parallel()
				s := &story{instance: start(t), door: door, begun: begun}
				s.tell()
				told[n] = s.told
			})
		}
	})
	for n, door := range doors {
		compare(t, door.name, told[n], doors[0].name, told[0])
	}
}

func compare(t *testing.T, name string, got []string, other string, want []string) {
	t.Helper()
	for n := range min(len(want), len(got)) {
		if want[n] != got[n] {
			t.Errorf("%s says\n%s\nand %s\n%s", name, got[n], other, want[n])
			return
		}
	}
}

// tell uses all methods, and some of them in vain.
func (s *story) tell() {
	cara, paul, eve := s.as(booking.RoleCustomer, "cara"), s.as(booking.RoleProvider, "paul"), s.as(booking.RoleCustomer, "eve")
	wanted := &bookingsv1.CreateBookingRequest{
		ProviderId: "paul", StartTime: s.at(72), EndTime: s.at(73), Note: "the <usual> ✂", IdempotencyKey: "k1",
		Metadata:            map[string]string{"service": "<cut> ✂", "price": ""},
		ReminderLeadSeconds: []int32{3600, 86_400},
	}
	trial := proto.CloneOf(wanted)
	trial.ValidateOnly = true
	s.call(cara, "CreateBooking", trial, fine)
	id := idOf(s.t, s.call(cara, "CreateBooking", wanted, fine))
	s.call(cara, "CreateBooking", wanted, fine+" replayed")
	wanted.Note = "another"
	s.call(cara, "CreateBooking", wanted, "ALREADY_EXISTS IDEMPOTENCY_KEY_REUSED")
	s.call(eve, "CreateBooking", &bookingsv1.CreateBookingRequest{ProviderId: "paul", StartTime: s.at(72), EndTime: s.at(74)}, "ALREADY_EXISTS SLOT_TAKEN")
	s.call(eve, "GetBooking", &bookingsv1.GetBookingRequest{Id: id}, notFound)
	s.call(cara, "GetBooking", &bookingsv1.GetBookingRequest{Id: id}, fine)
	s.update(cara, paul, id)
	s.change(cara, paul, id)
	s.past(paul, cara)
	s.callOff(cara, paul)
	s.list(cara, paul)
	s.follow(cara, id)
}

// update changes what is written into a booking, and changes it back.
func (s *story) update(cara, paul http.Header, id string) {
	masked := func(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }
	s.call(cara, "UpdateBooking", &bookingsv1.UpdateBookingRequest{Id: id}, fine)
	s.call(cara, "UpdateBooking", &bookingsv1.UpdateBookingRequest{Id: id, Note: new("the <usual> ✂"), Etag: `W/"7"`}, fine)
	s.call(cara, "UpdateBooking", &bookingsv1.UpdateBookingRequest{Id: id, Note: new("another"), Etag: `W/"7"`}, "ABORTED ETAG_MISMATCH")
	for version, request := range []*bookingsv1.UpdateBookingRequest{
		{Note: new(""), Metadata: map[string]string{"a": "b"}, Etag: `W/"1"`},
		{Note: new("kept out"), Metadata: map[string]string{"a": "c"}, UpdateMask: masked("metadata")},
		{UpdateMask: masked("metadata", "note"), Note: new("both")},
		{UpdateMask: masked("note", "metadata"), Metadata: map[string]string{"a": "d"}},
		{UpdateMask: masked("metadata", "note"), Note: new("the <usual> ✂")},
	} {
		request.Id = id
		updated, ok := s.call([]http.Header{cara, paul}[version%2], "UpdateBooking", request, fine).response.(*bookingsv1.UpdateBookingResponse)
		if got := updated.GetBooking().GetVersion(); !ok || got != int64(version)+2 {
			s.t.Errorf("%s: version %d after change %d", s.door.name, got, version)
		}
	}
	s.call(paul, "UpdateBooking", &bookingsv1.UpdateBookingRequest{Id: id, UpdateMask: masked("status")}, invalid+"update_mask")
	s.call(paul, "UpdateBooking", &bookingsv1.UpdateBookingRequest{Id: id, Metadata: map[string]string{"a b": ""}}, invalid+`metadata["a b"]`)
}

// change changes a booking until it is cancelled.
func (s *story) change(cara, paul http.Header, id string) {
	early := &bookingsv1.RescheduleBookingRequest{Id: id, StartTime: s.at(-2), EndTime: s.at(-1)}
	move := &bookingsv1.RescheduleBookingRequest{Id: id, StartTime: s.at(80), EndTime: s.at(81)}
	s.call(cara, "ConfirmBooking", &bookingsv1.ConfirmBookingRequest{Id: id}, notAllowed)
	s.call(paul, "ConfirmBooking", &bookingsv1.ConfirmBookingRequest{Id: id, Etag: `W/"7"`}, "ABORTED ETAG_MISMATCH")
	s.call(paul, "ConfirmBooking", &bookingsv1.ConfirmBookingRequest{Id: id, Etag: `W/"6"`}, fine)
	s.call(paul, "ConfirmBooking", &bookingsv1.ConfirmBookingRequest{Id: id, Etag: `W/"1"`}, fine)
	s.call(paul, "CompleteBooking", &bookingsv1.CompleteBookingRequest{Id: id}, "FAILED_PRECONDITION INVALID_TRANSITION")
	s.call(cara, "RescheduleBooking", early, "INVALID_ARGUMENT START_IN_PAST start_time")
	s.call(cara, "RescheduleBooking", move, fine)
	s.call(cara, "CancelBooking", &bookingsv1.CancelBookingRequest{Id: id, Reason: "ill"}, fine)
	s.call(cara, "CancelBooking", &bookingsv1.CancelBookingRequest{Id: id, Reason: "well"}, fine)
	s.call(cara, "RescheduleBooking", early, "FAILED_PRECONDITION INVALID_TRANSITION")
}

// past records what has been, which providers alone may.
func (s *story) past(paul, cara http.Header) {
	for n, method := range []string{"CompleteBooking", "MarkBookingNoShow"} {
		been := &bookingsv1.CreateBookingRequest{CustomerId: "cara", StartTime: s.at(-10 - n), EndTime: s.at(-9 - n)}
		id := idOf(s.t, s.call(paul, "CreateBooking", been, fine))
		var request proto.Message = &bookingsv1.CompleteBookingRequest{Id: id}
		if method == "MarkBookingNoShow" {
			request = &bookingsv1.MarkBookingNoShowRequest{Id: id}
		}
		s.call(cara, method, request, notAllowed)
		s.call(paul, method, request, fine)
	}
}

// callOff calls off a day with two bookings, and looks at it again.
func (s *story) callOff(cara, paul http.Header) {
	for n := range 2 {
		s.call(cara, "CreateBooking", &bookingsv1.CreateBookingRequest{ProviderId: "paul", StartTime: s.at(200 + n), EndTime: s.at(201 + n)}, fine)
	}
	day := &bookingsv1.CancelBookingsRequest{StartTimeFrom: s.at(190), StartTimeTo: s.at(214), Reason: "the <flu>"}
	s.call(cara, "CancelBookings", day, notAllowed)
	for _, want := range []int{2, 0} {
		called, ok := s.call(paul, "CancelBookings", day, fine).response.(*bookingsv1.CancelBookingsResponse)
		if !ok || len(called.GetOutcomes()) != want || called.GetMore() {
			s.t.Errorf("%s: %v", s.door.name, called)
		}
		for _, outcome := range called.GetOutcomes() {
			if outcome.GetBooking().GetCancellation().GetReason() != "the <flu>" || outcome.GetId() != outcome.GetBooking().GetId() || outcome.GetError() != nil {
				s.t.Errorf("%s: %v", s.door.name, outcome)
			}
		}
	}
}

func (s *story) list(cara, paul http.Header) {
	list := &bookingsv1.ListBookingsRequest{
		CustomerId: "cara", OrderBy: "start_time desc", PageSize: 2, StartTimeFrom: s.at(-100), StartTimeTo: s.at(100),
		Statuses: []bookingsv1.BookingStatus{3, 4, 5},
	}
	page := s.call(paul, "ListBookings", list, fine)
	list.PageToken = nextOf(page)
	s.call(paul, "ListBookings", list, fine)
	s.call(cara, "ListBookings", list, tokenOfAnother)
	s.call(cara, "ListBookings", &bookingsv1.ListBookingsRequest{CustomerId: "eve"}, notAllowed)
	s.call(cara, "ListBookings", &bookingsv1.ListBookingsRequest{PageSize: -1, OrderBy: "id"}, invalid+"order_by,page_size")
}

func (s *story) follow(cara http.Header, id string) {
	history := &bookingsv1.ListBookingEventsRequest{Id: id, PageSize: 2}
	history.PageToken = nextOf(s.call(cara, "ListBookingEvents", history, fine))
	s.call(cara, "ListBookingEvents", history, fine)
	s.call(cara, "ListEvents", &bookingsv1.ListEventsRequest{AfterSequence: proto.Int64(2), PageSize: 3}, fine)
	s.call(cara, "ListEvents", &bookingsv1.ListEventsRequest{AfterSequence: proto.Int64(99)}, "OUT_OF_RANGE SEQUENCE_OUT_OF_RANGE")
	s.call(cara, "ListEvents", &bookingsv1.ListEventsRequest{UserId: "paul"}, notAllowed)
}

func nextOf(a answer) string {
	page, _ := a.response.(interface{ GetNextPageToken() string })
	return page.GetNextPageToken()
}

func (s *story) at(hours int) *timestamppb.Timestamp {
	return timestamppb.New(s.begun.Add(time.Duration(hours) * time.Hour))
}

// idOf is the id of the booking that was answered.
func idOf(t testing.TB, a answer) string {
	t.Helper()
	response, ok := a.response.(interface{ GetBooking() *bookingsv1.Booking })
	if !ok {
		t.Fatal(a)
	}
	return response.GetBooking().GetId()
}

// call calls through the story's door and writes down what came of it.
func (s *story) call(who http.Header, method string, request proto.Message, want string) answer {
	s.t.Helper()
	a := s.door.call(s.instance, call{method: method, request: request, header: who})
	wanted, replayed := strings.CutSuffix(want, " replayed")
	checkVerdict(s.t, method, a, wanted)
	if got := a.header.Get("Idempotent-Replayed"); replayed != (got == "true") {
		s.t.Errorf("%s: Idempotent-Replayed is %q", method, got)
	}
	s.checkHeader(method, a)
	line := fmt.Sprint(method, a.verdict(), a.status.GetMessage(), detail[*errdetails.ErrorInfo](a).GetMetadata())
	if a.response != nil {
		line += s.plain(a.response)
	}
	s.told = append(s.told, line)
	return a
}

// checkHeader looks for what every answer carries.
func (s *story) checkHeader(method string, a answer) {
	s.t.Helper()
	if got := a.header.Get("X-Request-Id"); got == "" {
		s.t.Errorf("%s %s: no X-Request-Id in %v", s.door.name, method, a.header)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		s.t.Errorf("%s %s: Cache-Control is %q", s.door.name, method, got)
	}
	if get := s.door.get && methods[method].read(); get && a.verb != http.MethodGet {
		s.t.Errorf("%s %s was called by %s", s.door.name, method, a.verb)
	}
}

var (
	ids     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	tokens  = regexp.MustCompile(`"nextPageToken":"[^"]+"`)
)

// plain is a response as JSON, without what no two calls have in common: ids
// and the present.
func (s *story) plain(response proto.Message) string {
	s.t.Helper()
	body, err := protojson.MarshalOptions{}.Marshal(response)
	if err != nil {
		s.t.Fatal(err)
	}
	text := ids.ReplaceAllString(strings.ReplaceAll(string(body), `": `, `":`), "<id>")
	text = tokens.ReplaceAllString(text, `"nextPageToken":"<token>"`)
	return moments.ReplaceAllStringFunc(text, func(moment string) string {
		if at, err := time.Parse(time.RFC3339Nano, moment); err == nil && time.Since(at).Abs() < 5*time.Minute {
			return "<now>"
		}
		return moment
	})
}
