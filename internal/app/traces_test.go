package app

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
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

func TestNobodyWaitsForAnEndpointThatHangs(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	to := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	t.Cleanup(to.Close)
	t.Cleanup(func() { close(hung) })
	i := start(t, func(s *Settings) { s.TraceEndpoint = to.URL })
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
	case <-stopped:
	case <-time.After(15 * time.Second):
		t.Error("the server does not stop")
	}
}
