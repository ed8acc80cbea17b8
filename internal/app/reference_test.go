package app

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
	"bookings/internal/ratelimit"
)

// withDocs shows the reference.
func withDocs(s *Settings) { s.Docs = true }

// held are the doors that the document shows, each answer held against it.
func (d *document) held() []door {
	hold := func(name string, inner func(*instance, call) answer) door {
		return door{name: name, form: formJSON, call: func(i *instance, c call) answer {
			i.t.Helper()
			a := inner(i, c)
			d.check(name, c.method, a)
			if a.status == nil && c.raw == nil {
				d.checkRequest(name, c.method, mustJSON(i.t, c.request))
			}
			return a
		}}
	}
	return []door{hold("REST", rest), hold("Connect", curl)}
}

func TestEachAnswerIsAsTheReferenceSays(t *testing.T) {
	t.Parallel()
	d := readDocument(t, bareDocs(t), "/openapi.yaml", closeMessages)
	for _, door := range d.held() {
		s := &story{instance: start(t), door: door, begun: time.Now().UTC().Truncate(time.Hour)}
		s.tell()
		d.provokeRules(s)
		d.provokeAnywhere(t, door)
	}
	// These need a moment that no test can choose, or the database to hang for long.
	unseen := slices.DeleteFunc(d.unseen(), func(line string) bool { return strings.HasSuffix(line, " DEADLINE_EXCEEDED") })
	if len(unseen) > 0 {
		t.Errorf("no answer was seen of:\n%s", strings.Join(unseen, "\n"))
	}
}

func TestEachExampleOfTheReferenceIsOfItsSchema(t *testing.T) {
	t.Parallel()
	d := readDocument(t, bareDocs(t), "/openapi.yaml", closeMessages)
	for name := range methods {
		for _, door := range []string{"REST", "Connect"} {
			place := slices.Concat(operation(door, name), []string{"requestBody", "content", "application/json"})
			if content, ok := d.at(place...).(map[string]any); ok {
				example, _ := json.Marshal(content["example"])
				d.validate(door+" "+name, example, append(place, "schema")...)
			}
		}
	}
	examples, _ := d.at("components", "examples").(map[string]any)
	for name, example := range examples {
		value, _ := json.Marshal(example.(map[string]any)["value"])
		schema := map[bool]string{true: "google.rpc.Status", false: "connect.Error"}[strings.HasPrefix(name, "REST.")]
		d.validate(name, value, "components", "schemas", schema)
	}
}

// provokeRules breaks the rules that a story keeps.
func (d *document) provokeRules(s *story) {
	s.t.Helper()
	cara, dora := s.as(booking.RoleCustomer, "cara"), s.as(booking.RoleCustomer, "dora")
	create := func(who http.Header, from int, want string) string {
		request := &bookingsv1.CreateBookingRequest{ProviderId: "paula", StartTime: s.at(from), EndTime: s.at(from + 1)}
		return bookingIDOf(s.call(who, "CreateBooking", request, want))
	}
	create(cara, -5, "INVALID_ARGUMENT START_IN_PAST start_time")
	s.call(cara, "CreateBooking", &bookingsv1.CreateBookingRequest{CustomerId: "eve", ProviderId: "paula", StartTime: s.at(1), EndTime: s.at(2)}, notAllowed)
	id := create(dora, 400, fine)
	for n := range 9 {
		create(dora, 401+n, fine)
	}
	create(dora, 410, "FAILED_PRECONDITION TOO_MANY_PENDING")
	paula := s.as(booking.RoleProvider, "paula")
	move := func(from int) *bookingsv1.RescheduleBookingRequest {
		return &bookingsv1.RescheduleBookingRequest{Id: id, StartTime: s.at(from), EndTime: s.at(from + 1)}
	}
	s.call(dora, "RescheduleBooking", move(401), "ALREADY_EXISTS SLOT_TAKEN")
	old := move(500)
	old.Etag = `W/"9"`
	s.call(dora, "RescheduleBooking", old, "ABORTED ETAG_MISMATCH")
	s.call(paula, "ConfirmBooking", &bookingsv1.ConfirmBookingRequest{Id: id}, fine)
	create(dora, 420, fine)
	s.call(dora, "RescheduleBooking", move(500), "FAILED_PRECONDITION TOO_MANY_PENDING")
	if _, err := s.pool.Exec(s.t.Context(), `UPDATE bookings SET moves = 100 WHERE id = $1`, id); err != nil {
		s.t.Fatal(err)
	}
	s.call(paula, "RescheduleBooking", move(500), "FAILED_PRECONDITION TOO_MANY_MOVES")
	d.provokeEnds(s, id)
}

// provokeEnds breaks the rules about how a booking ends, of dora's at paula's.
func (d *document) provokeEnds(s *story, id string) {
	s.t.Helper()
	const stale = `W/"9"`
	cara, paul, dora := s.as(booking.RoleCustomer, "cara"), s.as(booking.RoleProvider, "paul"), s.as(booking.RoleCustomer, "dora")
	paula := s.as(booking.RoleProvider, "paula")
	s.call(dora, "CancelBooking", &bookingsv1.CancelBookingRequest{Id: id, Etag: stale}, "ABORTED ETAG_MISMATCH")
	s.call(paula, "CompleteBooking", &bookingsv1.CompleteBookingRequest{Id: id, Etag: stale}, "ABORTED ETAG_MISMATCH")
	s.call(paula, "MarkBookingNoShow", &bookingsv1.MarkBookingNoShowRequest{Id: id, Etag: stale}, "ABORTED ETAG_MISMATCH")
	s.call(paula, "MarkBookingNoShow", &bookingsv1.MarkBookingNoShowRequest{Id: id}, "FAILED_PRECONDITION INVALID_TRANSITION")
	s.call(dora, "CancelBooking", &bookingsv1.CancelBookingRequest{Id: id}, fine)
	s.call(paula, "ConfirmBooking", &bookingsv1.ConfirmBookingRequest{Id: id}, "FAILED_PRECONDITION INVALID_TRANSITION")
	s.call(paul, "CancelBooking", &bookingsv1.CancelBookingRequest{Id: s.completed(paul)}, "FAILED_PRECONDITION INVALID_TRANSITION")
	s.call(cara, "ListBookings", &bookingsv1.ListBookingsRequest{PageToken: "x"}, "INVALID_ARGUMENT PAGE_TOKEN_INVALID*")
	s.call(dora, "ListBookingEvents", &bookingsv1.ListBookingEventsRequest{Id: id, PageToken: "x"}, "INVALID_ARGUMENT PAGE_TOKEN_INVALID*")
	for name := range methods {
		if strings.Contains(methods[name].path, "{id}") {
			d.check(s.door.name, name, d.raw(s.instance, s.door.name, name, s.as(booking.RoleProvider, "paul"), `application/json`, sample(name)))
		}
	}
}

// completed is a booking that took place.
func (s *story) completed(paul http.Header) string {
	been := &bookingsv1.CreateBookingRequest{CustomerId: "cara", StartTime: s.at(-50), EndTime: s.at(-49)}
	id := bookingIDOf(s.call(paul, "CreateBooking", been, fine))
	s.call(paul, "CompleteBooking", &bookingsv1.CompleteBookingRequest{Id: id}, fine)
	return id
}

func bookingIDOf(a answer) string {
	made, _ := a.response.(interface{ GetBooking() *bookingsv1.Booking })
	if made == nil {
		return ""
	}
	return made.GetBooking().GetId()
}

// nobody is a booking's id that no booking has.
const nobody = "0197b5a0-0000-7000-8000-000000000000"

// sample is a body of a good shape.
func sample(name string) string {
	switch {
	case name == "CreateBooking":
		return `{"customerId": "cara", "startTime": "2027-06-01T09:00:00Z", "endTime": "2027-06-01T10:00:00Z"}`
	case name == "RescheduleBooking":
		return `{"id": "` + nobody + `", "startTime": "2027-06-01T09:00:00Z", "endTime": "2027-06-01T10:00:00Z"}`
	case name == "CancelBookings":
		return `{"startTimeFrom": "2027-06-01T09:00:00Z", "startTimeTo": "2027-06-01T10:00:00Z"}`
	case strings.Contains(methods[name].path, "{id}"):
		return `{"id": "` + nobody + `"}`
	}
	return `{}`
}

// raw sends a body as it is.
func (d *document) raw(i *instance, door, name string, header http.Header, media, body string) answer {
	i.t.Helper()
	m := methods[name]
	if door != "REST" {
		return connectAnswer(i, i.send(i.post(m.procedure, media, strings.NewReader(body), header)))
	}
	path := strings.ReplaceAll(m.path, "{id}", nobody)
	body = strings.Replace(strings.Replace(body, `"id": "`+nobody+`", `, "", 1), `"id": "`+nobody+`"`, "", 1)
	if m.read() && media == "application/json" {
		if strings.Contains(body, "unknown") {
			path += "?unknown=1"
		}
		return restAnswer(i, i.send(i.get(path, header)))
	}
	request := i.post(path, media, strings.NewReader(body), header)
	request.Method = m.verb
	return restAnswer(i, i.send(request))
}

// provokeAnywhere makes each method fail as all can.
func (d *document) provokeAnywhere(t *testing.T, door door) {
	t.Helper()
	proxied, url := newProxy(t, pgtest.URL(t))
	away := start(t, func(s *Settings) { s.DatabaseURL = url })
	proxied.cut()
	i := bare(t)
	cara := i.as(booking.RoleProvider, "paul")
	for name := range methods {
		spent := bare(t, func(b *bareServer) { b.doors.Gate.Limiter = ratelimit.New(1, newClockwork().read) })
		d.raw(spent, door.name, name, cara, "application/json", sample(name))
		answers := map[string]answer{
			"TOKEN_MISSING":        d.raw(i, door.name, name, http.Header{}, "application/json", sample(name)),
			"TOKEN_INVALID":        d.raw(i, door.name, name, bearer("x"), "application/json", sample(name)),
			"TOKEN_EXPIRED":        d.raw(i, door.name, name, bearer(expired(t)), "application/json", sample(name)),
			"VALIDATION_FAILED":    d.raw(i, door.name, name, cara, "application/json", `{"unknown": 1}`),
			"INTERNAL":             d.raw(i, door.name, name, cara, "application/json", sample(name)), // nothing is behind it
			"UNIMPLEMENTED":        d.raw(i, door.name, name, cara, "text/plain", sample(name)),
			"RATE_LIMITED":         d.raw(spent, door.name, name, cara, "application/json", sample(name)),
			"DATABASE_UNAVAILABLE": d.raw(away, door.name, name, cara, "application/json", sample(name)),
		}
		if door.name != "REST" || !methods[name].read() {
			answers["RESOURCE_EXHAUSTED"] = d.raw(i, door.name, name, cara, "application/json", strings.Repeat(" ", 70<<10)+sample(name))
		}
		for reason, a := range answers {
			if d.check(door.name, name, a); a.reason() != reason {
				t.Errorf("%s %s: %d %s, want %s", door.name, name, a.http, a.reason(), reason)
			}
			if limited := reason == "RATE_LIMITED"; limited != (a.header.Get("RateLimit-Reset") != "") {
				t.Errorf("%s %s, %s: the headers are %v", door.name, name, reason, a.header)
			}
		}
	}
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// expired is a token that was good once.
func expired(t testing.TB) string {
	t.Helper()
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: booking.RoleCustomer, ID: "cara"}, "", "", time.Now().Add(-time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
