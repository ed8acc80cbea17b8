//go:build linux

package load

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/pause"
)

const (
	// pace is the time between two events, and readers are whom they are for.
	pace    = 2 * time.Millisecond
	readers = 100
	// maxEvents keeps a long run short: it takes its time, however fast the server.
	maxEvents = 5000
)

// receipts are when an event's booking was answered by one server and when its reader
// heard of it from the other. Both come in any order.
type receipts struct {
	mu                sync.Mutex
	answered, arrived map[string]time.Time
}

func (r *receipts) note(in map[string]time.Time, text []byte, name string) {
	now := time.Now()
	_, after, found := bytes.Cut(text, []byte(`"`+name+`":"`))
	if id, _, ended := bytes.Cut(after, []byte(`"`)); found && ended {
		r.mu.Lock()
		defer r.mu.Unlock()
		in[string(id)] = now
	}
}

// delays are the times from answer to receipt, in ms, in order. What came before its
// answer did counts as 0.
func (r *receipts) delays() []float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []float64
	for id, answered := range r.answered {
		if arrived, ok := r.arrived[id]; ok {
			all = append(all, max(0, arrived.Sub(answered).Seconds()*1000))
		}
	}
	slices.Sort(all)
	return all
}

// BenchmarkReceipt books through one server at a steady pace and tells how long after
// the answer, which follows the commit, readers at another hear of it, through Redis.
func BenchmarkReceipt(b *testing.B) {
	w := newWorld(b).withRedis()
	here, there := w.serve(), w.serve()
	r := &receipts{answered: map[string]time.Time{}, arrived: map[string]time.Time{}}
	tokens := make([]string, readers)
	listening := make([]string, readers)
	for i := range tokens {
		tokens[i] = token(booking.RoleProvider, fmt.Sprintf("provider-%d", i))
		listening[i] = handshake(tokens[i], "")
	}
	there.openAll(b, listening, workers, func(_ int, c *socket, _ []byte) error {
		b.Cleanup(func() { _ = c.conn.Close() })
		go func() {
			for text, err := c.next(); err == nil; text, err = c.next() {
				r.note(r.arrived, text, "bookingId")
			}
		}()
		return nil
	})
	n := min(b.N, maxEvents)
	cpu := there.cpu(b)
	b.ResetTimer()
	here.book(b, n, tokens, r)
	b.StopTimer()
	delays := r.delays()
	for deadline := time.Now().Add(time.Minute); len(delays) < n && time.Now().Before(deadline); delays = r.delays() {
		pause.For(b.Context(), 10*time.Millisecond)
	}
	if len(delays) < n {
		b.Errorf("%d of %d events have come", len(delays), n)
		return
	}
	b.ReportMetric(delays[n/2], "ms-p50")
	b.ReportMetric(delays[n*99/100], "ms-p99")
	b.ReportMetric(each(there.cpu(b)-cpu, n), "cpu-ms/event")
}

// book makes bookings of all providers in turn, at the pace, whatever each takes.
func (s *server) book(b *testing.B, n int, tokens []string, r *receipts) {
	b.Helper()
	clients := make(chan *client, workers)
	for range workers {
		c, err := s.dial(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = c.conn.Close() }()
		clients <- c
	}
	var all sync.WaitGroup
	defer all.Wait()
	for i, ticker := 0, time.NewTicker(pace); i < n; i++ {
		<-ticker.C
		c := <-clients
		all.Go(func() {
			defer func() { clients <- c }()
			start := firstSlot.Add(time.Duration(i/len(tokens)) * time.Hour)
			answer, err := c.do(connectCall(tokens[i%len(tokens)], "CreateBooking", fmt.Sprintf(
				`{"customerId":"customer-%d","startTime":%q,"endTime":%q}`,
				i, start.Format(time.RFC3339), start.Add(time.Hour).Format(time.RFC3339))))
			if err != nil {
				b.Error(err)
				return
			}
			r.note(r.answered, answer, "id")
		})
	}
}
