package bookings_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/app"
	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
)

// asServer makes the test binary be the server: a process, which can be killed.
const asServer = "BOOKINGS_TEST_AS_SERVER"

const (
	testSecret   = "a secret for tests, which nobody else may know"
	testInternal = "an internal token for tests that nobody else may know"
	// patience bounds every wait; it is no measure of speed.
	patience = time.Minute
)

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	pgtest.Main(m)
}

// serve is the server of the environment. It says where it listens.
func serve() error {
	settings, err := app.FromEnvironment(os.Environ())
	if err != nil {
		return err
	}
	settings.Drain = 0
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server, err := app.New(ctx, settings, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return server.Run(ctx, func(addr net.Addr) { fmt.Println(addr) })
}

// server is a real one, in a process of its own.
type server struct {
	t       testing.TB
	cmd     *exec.Cmd
	address string
}

// start starts a server on a database, with more settings.
func start(t testing.TB, databaseURL string, more ...string) *server {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(os.Args[0])}
	s.cmd.Env = append([]string{
		asServer + "=1", "ADDR=127.0.0.1:0", "DATABASE_URL=" + databaseURL, "JWT_SECRET=" + testSecret,
		"INTERNAL_TOKEN=" + testInternal, "RATE_LIMIT_RPM=0",
	}, more...)
	s.cmd.Stderr = os.Stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	if s.address, err = bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	s.address = strings.TrimSpace(s.address)
	return s
}

// end ends the server, by SIGKILL at once.
func (s *server) end(how os.Signal) {
	_ = s.cmd.Process.Signal(how)
	_ = s.cmd.Wait()
}

func (s *server) url() string { return "http://" + s.address }

// client is one of the test's: it ends with it.
func client(t testing.TB, options bookings.Options) *bookings.Client {
	t.Helper()
	c, err := bookings.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// as is a client of a user, with a token for an hour.
func as(t testing.TB, url string, role booking.Role, user string) *bookings.Client {
	t.Helper()
	return client(t, bookings.Options{URL: url, Token: bookings.StaticToken(token(t, role, user, time.Hour))})
}

// service is a client of an internal service.
func service(t testing.TB, url string) *bookings.Client {
	t.Helper()
	return client(t, bookings.Options{URL: url, InternalToken: testInternal})
}

func token(t testing.TB, role booking.Role, user string, ttl time.Duration) string {
	t.Helper()
	text, err := identity.Sign([]byte(testSecret), booking.Actor{Role: role, ID: user}, "", "", time.Now(), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wish is a booking of alice with bob, so many days ahead.
func wish(day int) *bookingsv1.CreateBookingRequest {
	begin := time.Now().AddDate(0, 0, day).Truncate(time.Hour)
	return &bookingsv1.CreateBookingRequest{
		ProviderId: "bob", CustomerId: "alice",
		StartTime: timestamppb.New(begin), EndTime: timestamppb.New(begin.Add(time.Hour)),
	}
}

func book(t testing.TB, c *bookings.Client, day int) *bookingsv1.Booking {
	t.Helper()
	answer, err := c.CreateBooking(t.Context(), wish(day))
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetBooking()
}

func get(t testing.TB, c *bookings.Client, id string) *bookingsv1.Booking {
	t.Helper()
	answer, err := c.GetBooking(t.Context(), &bookingsv1.GetBookingRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetBooking()
}

// later is what a goroutine comes to.
func later[T any](do func() (T, error)) func(t testing.TB) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	return func(t testing.TB) (T, error) {
		t.Helper()
		select {
		case r := <-done:
			return r.value, r.err
		case <-time.After(patience):
			t.Fatal("it goes on and on")
			panic("unreachable")
		}
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
