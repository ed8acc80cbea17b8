package app

import (
	"net/http"
	"strings"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

const internalError = "INTERNAL INTERNAL"

func TestPanicsAreAnsweredAndLoggedAtEveryDoor(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for _, door := range doors {
		for name, request := range map[string]call{
			"GetBooking":    {method: "GetBooking", request: &bookingsv1.GetBookingRequest{Id: nobodys}},
			"CreateBooking": trial(func(*bookingsv1.CreateBookingRequest) {}),
			"ListEvents":    {method: "ListEvents", request: &bookingsv1.ListEventsRequest{}},
		} {
			id := strings.NewReplacer(" ", ".", "/", ".").Replace(door.name) + "." + name
			request.header = i.as(booking.RoleCustomer, "cara")
			request.header.Set("X-Request-Id", id)
			got := door.call(i, request)
			if want := "internal error, request " + id; got.verdict() != internalError || got.status.GetMessage() != want {
				t.Errorf("%s %s: %v", door.name, name, got)
			}
			checkSilence(t, got)
			i.checkPanic(id)
		}
	}
}

// checkSilence looks for what a panic must not tell.
func checkSilence(t *testing.T, a answer) {
	t.Helper()
	for _, word := range []string{"nil pointer", "goroutine", ".go:", "runtime error", "bookingsvc"} {
		if strings.Contains(a.text+a.status.String(), word) {
			t.Errorf("%q is in an answer: %s", word, a.text)
		}
	}
}

// checkPanic looks for the panic and the request in the log.
func (i *instance) checkPanic(id string) {
	i.t.Helper()
	panicked := i.logged("panic", id)
	if stack, _ := panicked["stack"].(string); !strings.Contains(stack, ".go:") || panicked["level"] != "ERROR" {
		i.t.Errorf("%s: the log says %v", id, panicked)
	}
	i.logged("request", id)
}

func TestPanicsOutsideTheDoorsAreAnswered(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for id, path := range map[string]string{"ws": "/ws", "ready": "/health/ready"} {
		header := i.as(booking.RoleCustomer, "cara")
		header.Set("X-Request-Id", id)
		response, body := i.exchange(i.get(path, header))
		if response.StatusCode != http.StatusInternalServerError || !strings.Contains(string(body), "internal error, request "+id) {
			t.Errorf("%s: %s %s", path, response.Status, body)
		}
		checkSilence(t, answer{text: string(body)})
		i.checkPanic(id)
	}
}

// A panic in the gate is before any interceptor.
func TestPanicsAtTheGateAreAnswered(t *testing.T) {
	t.Parallel()
	i := bare(t, func(b *bareServer) { b.doors.Gate.Verifier = nil })
	for _, door := range doors {
		who := i.as(booking.RoleCustomer, "cara")
		who.Set("X-Request-Id", "gate")
		got := door.call(i, harmless(who))
		if got.verdict() != internalError {
			t.Errorf("%s: %v", door.name, got)
		}
		checkSilence(t, got)
	}
	i.checkPanic("gate")
}
