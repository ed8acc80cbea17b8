package bookingsvc_test

import (
	"encoding/base64"
	"reflect"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
)

func TestATokenIsOfItsListAndItsCallerAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	made := d.fill()
	list := bookingsvc.ListRequest{
		ProviderID: ben.ID, CustomerID: anna.ID, PageSize: 1, From: at(1).Slot.Start, To: at(9).Slot.Start,
		Statuses: []booking.Status{booking.StatusConfirmed, booking.StatusCancelled},
	}
	_, token, err := d.List(t.Context(), booking.Internal, list)
	if err != nil || token == "" {
		t.Fatalf("token %q, %v", token, err)
	}
	list.PageToken = token
	for name, misuse := range map[string]func(*booking.Actor, *bookingsvc.ListRequest){
		"another provider": func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.ProviderID = dora.ID },
		"no provider":      func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.ProviderID = "" },
		"another customer": func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.CustomerID = carl.ID },
		"no customer":      func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.CustomerID = "" },
		"another status":   func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.Statuses = r.Statuses[:1] },
		"all statuses":     func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.Statuses = nil },
		"another from":     func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.From = r.From.Add(time.Microsecond) },
		"no from":          func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.From = time.Time{} },
		"another to":       func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.To = r.To.Add(time.Microsecond) },
		"no to":            func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.To = time.Time{} },
		"another order":    func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.Descending = true },
		"the customer":     func(by *booking.Actor, _ *bookingsvc.ListRequest) { *by = anna },
		"the provider":     func(by *booking.Actor, _ *bookingsvc.ListRequest) { *by = ben },
		"no base64":        func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = "what?" },
		"half of it":       func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = token[:len(token)/2] },
		"more than it":     func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = token + "AAAA" },
		"padded":           func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = token + "=" },
		"null":             func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = encoded("null") },
		"a number":         func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = encoded("17") },
		"an empty object":  func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = encoded("{}") },
		"a history's":      func(_ *booking.Actor, r *bookingsvc.ListRequest) { r.PageToken = d.historyToken(made) },
	} {
		by, request := booking.Internal, list
		misuse(&by, &request)
		got, next, err := d.List(t.Context(), by, request)
		if !booking.IsReason(err, booking.ReasonPageTokenInvalid) || got != nil || next != "" {
			t.Errorf("%s: %d bookings, %v", name, len(got), err)
		}
	}
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// historyToken is a token of a history that has a second page.
func (d *desk) historyToken(made []booking.Booking) string {
	d.t.Helper()
	for _, b := range made {
		_, token, err := d.History(d.t.Context(), booking.Internal, bookingsvc.HistoryRequest{ID: b.ID, PageSize: 1})
		if err != nil {
			d.t.Fatal(err)
		}
		if token != "" {
			return token
		}
	}
	d.t.Fatal("no history has two pages")
	return ""
}

func TestATokenGoesOnWithTheSameListSpelledOtherwise(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.fill()
	list := bookingsvc.ListRequest{
		PageSize: 2, From: at(1).Slot.Start, Statuses: []booking.Status{booking.StatusConfirmed, booking.StatusCancelled},
	}
	_, token, err := d.List(t.Context(), ben, list)
	if err != nil {
		t.Fatal(err)
	}
	list.PageToken = token
	want, _, err := d.List(t.Context(), ben, list)
	if err != nil {
		t.Fatal(err)
	}
	list.ProviderID = ben.ID
	list.From = list.From.In(time.FixedZone("Kathmandu", 20_700))
	list.Statuses = []booking.Status{booking.StatusCancelled, booking.StatusConfirmed, booking.StatusCancelled}
	if got, _, err := d.List(t.Context(), ben, list); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v:\n%+v\n%+v", err, got, want)
	}
	list.PageSize = 1
	if got, _, err := d.List(t.Context(), ben, list); err != nil || !reflect.DeepEqual(got, want[:1]) {
		t.Errorf("%v:\n%+v\n%+v", err, got, want[:1])
	}
}

func TestAListOfSomebodyElsesIsNotAllowed(t *testing.T) {
	t.Parallel()
	d := open(t)
	for by, request := range map[booking.Actor]bookingsvc.ListRequest{
		anna: {CustomerID: carl.ID}, ben: {ProviderID: dora.ID},
	} {
		_, _, err := d.List(t.Context(), by, request)
		refused(t, err, booking.ReasonNotAllowed)
	}
}

func TestPagesHaveADefaultSizeAndALargest(t *testing.T) {
	t.Parallel()
	d := open(t)
	const many = bookingsvc.MaxPageSize + 1
	_, err := d.pool.Exec(t.Context(), `
		INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
			reminder_due_time, reminder_state, create_time, update_time)
		SELECT gen_random_uuid(), 'ben', 'anna', begin, begin + interval '1 hour', 'CONFIRMED', '', 1, 0, begin, 'SENT', begin, begin
		FROM generate_series(1, $1) AS n, LATERAL (SELECT timestamptz '2031-03-04Z' + n * interval '1 hour' AS begin) AS slot`, many)
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[int]int{
		0: bookingsvc.DefaultPageSize, 1: 1, 199: 199, bookingsvc.MaxPageSize: bookingsvc.MaxPageSize,
		many: bookingsvc.MaxPageSize, 1 << 30: bookingsvc.MaxPageSize,
	} {
		page, next, err := d.List(t.Context(), ben, bookingsvc.ListRequest{PageSize: asked})
		if err != nil || len(page) != want || next == "" {
			t.Errorf("asked for %d: %d, next %q, %v", asked, len(page), next, err)
		}
	}
}

// The year 1 is in the lists of all who name no bounds.
func TestTheOldestBookingIsListed(t *testing.T) {
	t.Parallel()
	d := open(t)
	start := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	b := d.book(ben, booking.Request{CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Hour)}})
	for _, by := range []booking.Actor{anna, ben, booking.Internal} {
		for _, descending := range []bool{false, true} {
			got := d.pages(by, bookingsvc.ListRequest{Descending: descending, PageSize: 1}, nil)
			if len(got) != 1 || got[0].ID != b.ID {
				t.Errorf("by %s, descending %t: %v", by.Role, descending, got)
			}
		}
	}
}
