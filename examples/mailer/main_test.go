package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/app"
	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

// asMailer makes the test binary be the mailer: the tests start real processes,
// which can be killed.
const asMailer = "BOOKINGS_TEST_AS_MAILER"

const testInternal = "an internal token for tests that nobody else may know"

func TestMain(m *testing.M) {
	if os.Getenv(asMailer) != "" {
		main()
		os.Exit(0)
	}
	pgtest.Main(m)
}

// server is a real one. It is stopped in order.
type server struct {
	t    *testing.T
	addr string
	stop func()
	http *http.Client
}

func serve(t *testing.T, addr, databaseURL string) *server {
	t.Helper()
	settings, err := app.FromEnvironment([]string{
		"ADDR=" + addr, "DATABASE_URL=" + databaseURL, "INTERNAL_TOKEN=" + testInternal,
		"JWT_SECRET=a secret for tests, which nobody else may know",
	})
	if err != nil {
		t.Fatal(err)
	}
	settings.Drain = 0
	running, err := app.New(t.Context(), settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, http: &http.Client{Transport: bookings.Transport()}}
	s.addr, s.stop = programtest.Serve(t, running.Run)
	t.Cleanup(s.http.CloseIdleConnections)
	return s
}

func (s *server) url() string { return "http://" + s.addr }

// book books with a provider of that name, so soon that the reminder is due at once.
func (s *server) book(provider string) error {
	client := bookingsv1connect.NewBookingServiceClient(s.http, s.url(), connect.WithGRPC())
	start := time.Now().Add(5 * time.Minute)
	_, err := client.CreateBooking(asService(s.t), &bookingsv1.CreateBookingRequest{
		ProviderId: provider, CustomerId: "anna",
		StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Hour)),
	})
	return err
}

// letters is what everything that happened should have been mailed as.
func (s *server) letters() (all []string) {
	s.t.Helper()
	client := bookingsv1connect.NewEventServiceClient(s.http, s.url(), connect.WithGRPC())
	request := &bookingsv1.ListEventsRequest{Types: types()}
	for {
		page, err := client.ListEvents(asService(s.t), request)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, event := range page.GetEvents() {
			all = append(all, letters(event))
		}
		if page.GetThroughSequence() == page.GetHead() {
			return all
		}
		request.AfterSequence, request.AfterId = &page.ThroughSequence, page.GetThroughId()
	}
}

func asService(t *testing.T) context.Context {
	t.Helper()
	ctx, call := connect.NewClientContext(t.Context())
	call.RequestHeader().Set("X-Internal-Token", testInternal)
	return ctx
}

// launch starts the mailer, and waits until it has a place.
func launch(t *testing.T, url, place string) *programtest.Process {
	t.Helper()
	command := exec.Command(os.Args[0], "--url", url, "--place", place)
	command.Env = []string{asMailer + "=1", "INTERNAL_TOKEN=" + testInternal}
	p := programtest.Start(t, command)
	pgtest.Eventually(t, "a place", func() bool {
		_, err := os.Stat(place)
		return err == nil
	})
	return p
}

// pairs are the letters of an event each: two lines.
func pairs(p *programtest.Process) (all []string) {
	for line := range strings.Lines(p.Stdout.String()) {
		if n := len(all); n > 0 && strings.Count(all[n-1], "\n") == 1 {
			all[n-1] += line
		} else {
			all = append(all, line)
		}
	}
	return all
}

func TestEveryLetterIsMailedInOrderHoweverOftenTheMailerIsKilled(t *testing.T) {
	t.Parallel()
	const providers, kills = 120, 8
	s := serve(t, "127.0.0.1:0", pgtest.URL(t))
	place := filepath.Join(t.TempDir(), "place")
	m := launch(t, s.url(), place)
	var booking sync.WaitGroup
	for half := range 2 {
		booking.Go(func() {
			for i := range providers / 2 {
				if err := s.book(fmt.Sprintf("ben-%d-%d", half, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var runs [][]string
	for range kills {
		pgtest.Eventually(t, "some letters", func() bool { return len(pairs(m)) >= 10 })
		m.Kill()
		runs = append(runs, pairs(m))
		m = launch(t, s.url(), place)
	}
	booking.Wait()
	pgtest.Eventually(t, "every reminder", func() bool { return len(s.letters()) >= 2*providers })
	want := s.letters()
	pgtest.Eventually(t, "the last letter", func() bool { return m.Stdout.Has(want[len(want)-1]) })
	m.Kill()
	checkRuns(t, append(runs, pairs(m)), want)
}

// checkRuns fails unless the runs have all letters in order. A run may repeat the
// last one of the run before, and no other.
func checkRuns(t *testing.T, runs [][]string, want []string) {
	t.Helper()
	next := 0
	for n, run := range runs {
		if n > 0 && next > 0 && len(run) > 0 && run[0] == want[next-1] {
			run = run[1:]
		}
		for _, letter := range run {
			if next == len(want) || letter != want[next] {
				t.Fatalf("run %d mailed\n%safter %d of %d", n, letter, next, len(want))
			}
			next++
		}
	}
	if next < len(want) {
		t.Errorf("only %d of %d were mailed", next, len(want))
	}
}

func TestTheMailerBeginsNowAndOutlivesTheServerAndItsHistory(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	s := serve(t, "127.0.0.1:0", databaseURL)
	mustBook := func(s *server, provider string) {
		t.Helper()
		if err := s.book(provider); err != nil {
			t.Fatal(err)
		}
	}
	says := func(out *programtest.Text, text string) {
		t.Helper()
		pgtest.Eventually(t, text, func() bool { return out.Has(text) })
	}
	mustBook(s, "before")
	pgtest.Eventually(t, "the reminder", func() bool { return len(s.letters()) == 2 })
	place := filepath.Join(t.TempDir(), "place")
	m := launch(t, s.url(), place)
	mustBook(s, "first")
	says(m.Stdout, "remember your appointment with first on ")

	s.stop()
	s = serve(t, s.addr, databaseURL)
	mustBook(s, "second")
	says(m.Stdout, "remember your appointment with second on ")
	if m.Stderr.Has("MISSING") || m.Stdout.Has("before") {
		t.Errorf("it mailed\n%sand said\n%s", m.Stdout, m.Stderr)
	}

	s.stop()
	s = serve(t, s.addr, pgtest.URL(t)) // another history
	says(m.Stderr, "MAIL MAY BE MISSING; going on with what comes from now on: events after entry 6 ")
	pgtest.Eventually(t, "a place in the new history", func() bool {
		p, err := bookings.FileStore(place).Load(t.Context())
		return err == nil && p.Sequence == 0
	})
	mustBook(s, "third")
	says(m.Stdout, "remember your appointment with third on ")
}

func TestAPlaceThatCannotBeReadIsNotGuessed(t *testing.T) {
	t.Parallel()
	place := filepath.Join(t.TempDir(), "place")
	if err := os.WriteFile(place, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := launch(t, "http://127.0.0.1:1", place)
	if code := m.ExitCode(); code != 1 || !m.Stderr.Has(place) {
		t.Errorf("it ended with %d and said %s", code, m.Stderr)
	}
}
