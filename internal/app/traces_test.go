package app

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/redistest"
)

// receiver takes what is sent by OTLP over HTTP.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	sent []*tracev1.Span
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body io.Reader = request.Body
		if request.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(request.Body)
		}
		text, err := io.ReadAll(body)
		var traces collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(text, &traces)
		}
		if err != nil || request.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", request.URL, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, resource := range traces.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				r.sent = append(r.sent, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// trace are the spans of one trace.
func (r *receiver) trace(id string) []*tracev1.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.sent), func(s *tracev1.Span) bool { return hex.EncodeToString(s.GetTraceId()) != id })
}

// A create's trace begins with its caller's and ends with its reminder.
func TestOneTraceGoesFromTheCallerToTheReminder(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	i := start(t, func(s *Settings) {
		s.TraceEndpoint, s.RedisURL, s.RateLimit = to.URL, redistest.Start(t).URL(), 60
		s.ReminderLeads = []time.Duration{700 * time.Hour, 699 * time.Hour} // both are due
	})
	i.awaitf(func() bool { _, found := i.readiness(); return found.Redis == "ok" }, "Redis, which counts calls from then on")
	const id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	header := i.as(booking.RoleCustomer, "cara-in-no-span")
	header.Set("Traceparent", "00-"+id+"-"+parent+"-01")
	header.Set("X-Request-Id", "followed")
	begin := time.Now().Add(time.Hour).UTC()
	response, body := i.exchange(i.post("/v1/bookings", "application/json", strings.NewReader(fmt.Sprintf(
		`{"providerId":"paul-in-no-span","startTime":%q,"endTime":%q,"note":"a secret note"}`,
		begin.Format(time.RFC3339), begin.Add(time.Minute).Format(time.RFC3339))), header))
	if response.StatusCode != http.StatusOK {
		t.Fatalf("answered %s: %s", response.Status, body)
	}
	for _, message := range []string{"request", "reminder due"} {
		if line := i.logged(message, "followed"); line["traceId"] != id {
			t.Errorf("the line %q has the trace %v", message, line["traceId"])
		}
	}
	i.stop() // sends what is left
	spans := to.trace(id)
	names := map[string]*tracev1.Span{}
	for _, span := range spans {
		names[span.GetName()] = span
	}
	request, insert, work := names["/bookings.v1.BookingService/CreateBooking"], names["river.insert_many"], names["river.work/reminder"]
	if request == nil || insert == nil || work == nil || names["INSERT"] == nil || names["evalsha"] == nil && names["EVALSHA"] == nil {
		t.Fatalf("the spans are %v", names)
	}
	if hex.EncodeToString(request.GetParentSpanId()) != parent {
		t.Error("the request is no child of its caller's span")
	}
	if string(work.GetParentSpanId()) != string(insert.GetSpanId()) {
		t.Error("the reminder is no child of what inserted its job")
	}
	if requests := slices.DeleteFunc(spans, func(s *tracev1.Span) bool { return s.GetKind() != tracev1.Span_SPAN_KIND_SERVER }); len(requests) != 1 {
		t.Errorf("one request has %d spans", len(requests))
	}
	to.checkDiscreet(t)
}

// checkDiscreet looks for what nobody may read in traces.
func (r *receiver) checkDiscreet(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, span := range r.sent {
		text, err := protojson.Marshal(span)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "secret") || strings.Contains(string(text), "in-no-span") || strings.Contains(string(text), "Bearer") {
			t.Errorf("a span tells %s", text)
		}
		if len(span.GetParentSpanId()) == 0 && span.GetKind() == tracev1.Span_SPAN_KIND_CLIENT {
			t.Errorf("what runs in the background has a trace of its own: %s", text)
		}
	}
}

// ill are endpoints that take no traces, each in its way. They end with the test.
var ill = []string{"answers nothing", "reads nothing", "refuses connections", "asks to come again"}

func illEndpoint(t *testing.T, how string) string {
	t.Helper()
	hung := make(chan struct{})
	answers := map[string]http.HandlerFunc{
		"answers nothing":    func(http.ResponseWriter, *http.Request) { <-hung },
		"asks to come again": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, // the SDK does, for a minute
	}
	if answer := answers[how]; answer != nil {
		to := httptest.NewServer(answer)
		t.Cleanup(to.Close)
		t.Cleanup(func() { close(hung) })
		return to.URL
	}
	listener := listenOnly(t)
	if how == "refuses connections" {
		_ = listener.Close()
	}
	return "http://" + listener.Addr().String()
}

// listenOnly is a place where connections are made by the kernel, and never accepted.
func listenOnly(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestNobodyWaitsForAnEndpointThatIsIll(t *testing.T) {
	t.Parallel()
	for _, how := range ill {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			i := start(t, func(s *Settings) { s.TraceEndpoint = illEndpoint(t, how) })
			cara := i.as(booking.RoleCustomer, "cara")
			for range 3000 { // more than are kept
				if response, body := i.exchange(i.get("/v1/bookings", cara)); response.StatusCode != http.StatusOK {
					t.Fatalf("answered %s: %s", response.Status, body)
				}
			}
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				i.stop()
			}()
			select {
			case <-stopped: // while the endpoint is as ill as before
			case <-time.After(15 * time.Second):
				t.Error("the server does not stop")
			}
		})
	}
}

// Whoever has one log line of a request has its id, and by it the lines of both of
// its reminders, and by the line's trace all spans.
func TestOneRequestIDLeadsToBothItsReminders(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits until reminders are due")
	}
	to := newReceiver(t)
	i := start(t, func(s *Settings) {
		s.TraceEndpoint, s.ReminderLeads = to.URL, []time.Duration{time.Hour + 12*time.Second, time.Hour}
	})
	// Both are to come, and far enough apart for the first to come up to 12 s late: of two
	// that are overdue only the later is sent, and River looks for what is due every 5 s.
	begin := time.Now().Add(time.Hour + 14*time.Second)
	made := curl(i, call{method: "CreateBooking", header: i.as(booking.RoleCustomer, "cara"), request: &bookingsv1.CreateBookingRequest{
		ProviderId: "paul", StartTime: stamp(begin), EndTime: stamp(begin.Add(time.Minute)),
	}})
	id := made.header.Get("X-Request-Id")
	first := i.logged("request", id)
	trace, _ := first["traceId"].(string)
	reminders := i.linesOf("reminder due", id, 2)
	leads := map[any]bool{}
	for _, line := range reminders {
		leads[line["leadSeconds"]] = true
		if line["traceId"] != trace || line["bookingId"] != idOf(t, made) {
			t.Errorf("the request's line is %v, a reminder's %v", first, line)
		}
	}
	if len(leads) != 2 {
		t.Errorf("the reminders are %v", reminders)
	}
	i.stop() // sends what is left
	spans := map[string]int{}
	for _, span := range to.trace(trace) {
		spans[span.GetName()]++
		for _, about := range span.GetAttributes() {
			if about.GetKey() == "bookings.request_id" && about.GetValue().GetStringValue() != id {
				t.Errorf("a span of the request %s has the trace of %s", about.GetValue(), id)
			}
		}
	}
	if spans["/bookings.v1.BookingService/CreateBooking"] != 1 || spans["river.work/reminder"] != 2 {
		t.Errorf("the spans are %v", spans)
	}
}

// linesOf waits for so many log lines with this message and request id.
func (i *instance) linesOf(message, requestID string, count int) (found []map[string]any) {
	i.t.Helper()
	i.awaitf(func() bool {
		found = nil
		for line := range strings.Lines(i.log.String()) {
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message && entry["requestId"] == requestID {
				found = append(found, entry)
			}
		}
		return len(found) == count
	}, "%d lines %q of request %s", count, message, requestID)
	return found
}
