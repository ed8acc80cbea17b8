//go:build linux

package load

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"bookings/internal/booking"
)

// read is a call by each of the two doors that JSON comes through.
type read struct{ connect, rest string }

// BenchmarkRead compares a call through REST with the same through Connect:
// %of-connect is how many it makes in a second, 100 as many.
func BenchmarkRead(b *testing.B) {
	w := newWorld(b)
	w.growUp()
	s := w.serve()
	bearer := token(booking.RoleProvider, "provider-0")
	id := fill(b, s, bearer, 200)
	for name, call := range map[string]read{
		"get":  {connectCall(bearer, "GetBooking", fmt.Sprintf(`{"id":%q}`, id)), call(bearer, "GET", "/v1/bookings/"+id, "")},
		"list": {connectCall(bearer, "ListBookings", `{"pageSize":20}`), call(bearer, "GET", "/v1/bookings?pageSize=20", "")},
	} {
		b.Run(name, func(b *testing.B) { compare(b, s, call) })
	}
}

func compare(b *testing.B, s *server, r read) {
	b.Helper()
	n := max(b.N/rounds, 1)
	var rates, shares []float64
	var connectCPU, restCPU time.Duration
	for range rounds {
		before := s.cpu(b)
		connect := s.run(b, n, func(int) string { return r.connect })
		between := s.cpu(b)
		rest := s.run(b, n, func(int) string { return r.rest })
		connectCPU, restCPU = connectCPU+between-before, restCPU+s.cpu(b)-between
		rates = append(rates, float64(n)/connect.Seconds())
		shares = append(shares, 100*connect.Seconds()/rest.Seconds())
	}
	report(b, "calls/s", rates)
	b.ReportMetric(each(connectCPU, n*rounds), "cpu-ms/op")
	b.ReportMetric(each(restCPU, n*rounds), "rest-cpu-ms/op")
	report(b, "%of-connect", shares)
}

// fill makes so many bookings of a provider's, and answers the id of one.
func fill(b *testing.B, s *server, bearer string, n int) string {
	b.Helper()
	c, err := s.dial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.conn.Close() }()
	var made []byte
	for i := range n {
		start := firstSlot.Add(time.Duration(i) * time.Hour)
		body := fmt.Sprintf(`{"customerId":"customer-%d","startTime":%q,"endTime":%q,"note":"a haircut"}`,
			i%customers, start.Format(time.RFC3339), start.Add(time.Hour).Format(time.RFC3339))
		if made, err = c.do(connectCall(bearer, "CreateBooking", body)); err != nil {
			b.Fatal(err)
		}
	}
	return string(regexp.MustCompile(`"id":\s*"([^"]*)"`).FindSubmatch(made)[1])
}
