// Package examples has programs of other people. Its tests hold the pages of docs/ to them,
// and run them.
package examples

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/app"
	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	testSecret   = "a secret for tests, which nobody else may know"
	testInternal = "an internal token for tests that nobody else may know"
)

// serve runs a real server until the test ends, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	settings, err := app.FromEnvironment([]string{
		"ADDR=127.0.0.1:0", "DATABASE_URL=" + pgtest.URL(t), "INTERNAL_TOKEN=" + testInternal, "JWT_SECRET=" + testSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	settings.Drain, settings.Worker = 0, true
	server, err := app.New(t.Context(), settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	address, _ := programtest.Serve(t, server.Run)
	return "http://" + address
}

// token is alice's.
func token(t *testing.T) string {
	t.Helper()
	made, err := identity.Sign([]byte(testSecret), booking.Actor{Role: booking.RoleCustomer, ID: "alice"}, "", "", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// customer calls as alice.
type customer struct {
	*bookings.Client

	t *testing.T
}

func newCustomer(t *testing.T, url string) *customer {
	t.Helper()
	client, err := bookings.New(bookings.Options{URL: url, Token: bookings.StaticToken(token(t))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &customer{Client: client, t: t}
}

// book asks a provider for the time in so many minutes, and returns the booking's id.
func (c *customer) book(provider string, minutes int) string {
	c.t.Helper()
	start := time.Now().Add(time.Duration(minutes) * time.Minute)
	answer, err := c.CreateBooking(c.t.Context(), &bookingsv1.CreateBookingRequest{
		ProviderId: provider, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.GetBooking().GetId()
}

func (c *customer) status(id string) bookingsv1.BookingStatus {
	c.t.Helper()
	answer, err := c.GetBooking(c.t.Context(), &bookingsv1.GetBookingRequest{Id: id})
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.GetBooking().GetStatus()
}

// build builds a program of this module.
func build(t *testing.T, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(pkg))
	if said, err := exec.Command("go", "build", "-o", program, pkg).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return program
}

// launch runs a program in a folder until the test ends.
func launch(t *testing.T, folder string, environ []string, program string, args ...string) *programtest.Process {
	t.Helper()
	command := exec.Command(program, args...)
	command.Dir, command.Env = folder, environ
	return programtest.Start(t, command)
}

// awaitPlace waits until a program has a place in its feed.
func awaitPlace(t *testing.T, file string) {
	t.Helper()
	pgtest.Eventually(t, file, func() bool {
		_, err := os.Stat(file)
		return err == nil
	})
}
