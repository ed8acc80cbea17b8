package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
)

// environ are the settings of a server on a database.
func environ(databaseURL string, more ...string) []string {
	return append([]string{
		"ADDR=127.0.0.1:0", "DATABASE_URL=" + databaseURL, "JWT_SECRET=" + testSecret,
		"INTERNAL_TOKEN=" + testInternal, "RATE_LIMIT_RPM=0",
	}, more...)
}

// address waits for the log line that tells where the server listens.
func (p *process) address() string {
	p.t.Helper()
	var line struct{ Addr string }
	if err := json.Unmarshal([]byte(p.line(`"msg":"listening"`)), &line); err != nil {
		p.t.Fatal(err)
	}
	return line.Addr
}

func token(t *testing.T, role booking.Role, user string) string {
	t.Helper()
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: role, ID: user}, "", "", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// soon is the setting with which tomorrow's reminders are due at once.
const soon = "REMINDER_LEADS=48h"

// book books tomorrow for alice with bob and returns the booking's id.
func book(t *testing.T, address string) string {
	t.Helper()
	return bookAt(t, address, 1)
}

// bookAt is book for a day further ahead: bob has one booking at a time.
func bookAt(t *testing.T, address string, day int) string {
	t.Helper()
	start := time.Now().AddDate(0, 0, day).UTC()
	body := fmt.Sprintf(`{"providerId":"bob","startTime":%q,"endTime":%q}`,
		start.Format(time.RFC3339Nano), start.Add(time.Hour).Format(time.RFC3339Nano))
	return bookingID(t, exchange(t, http.MethodPost, "http://"+address+"/v1/bookings", token(t, booking.RoleCustomer, "alice"), body))
}

func exchange(t *testing.T, method, url, token, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return readAll(t, response)
}

func TestAnAnsweredCreateSurvivesAKillWithItsEventAndItsJob(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	server := launch(t, environ(databaseURL), "serve")
	id := book(t, server.address())
	_ = server.signal(syscall.SIGKILL)

	address := launch(t, environ(databaseURL), "serve").address()
	customer := token(t, booking.RoleCustomer, "alice")
	if got := exchange(t, http.MethodGet, "http://"+address+"/v1/bookings/"+id, customer, ""); bookingID(t, got) != id {
		t.Errorf("the booking is %s", got)
	}
	if feed := exchange(t, http.MethodGet, "http://"+address+"/v1/events", customer, ""); !strings.Contains(feed, id) {
		t.Errorf("the feed is %s", feed)
	}
	if jobs := count(t, databaseURL, `SELECT count(*) FROM river_job WHERE kind = 'reminder' AND state = 'scheduled' AND args->>'bookingId' = $1`, id); jobs != 1 {
		t.Errorf("there are %d jobs of its reminder", jobs)
	}
}

func count(t *testing.T, databaseURL, query string, args ...any) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAWorkerAloneRemindsForAServerWithoutOne(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	server := launch(t, environ(databaseURL, soon), "serve", "--worker=false")
	address := server.address()
	id := book(t, address)
	worker := launch(t, environ(databaseURL, soon), "worker")
	if line := worker.line("reminder due"); !strings.Contains(line, id) {
		t.Errorf("the worker reminded: %s", line)
	}
	listener := launch(t, nil, "listen", "--url", "http://"+address, "--after", "0", "--token", token(t, booking.RoleProvider, "bob"))
	if line := listener.line("booking.reminder.due"); !strings.Contains(line, id) {
		t.Errorf("the listener heard: %s", line)
	}
	if err := worker.signal(syscall.SIGTERM); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
}

func TestSignalsStopAServerInOrder(t *testing.T) {
	t.Parallel()
	for _, stop := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(stop.String(), func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(stop) {
				t.Skip("ignored by whoever started this, as nohup does")
			}
			server := launch(t, environ(pgtest.URL(t)), "serve")
			server.address()
			if err := server.signal(stop); err != nil {
				t.Errorf("the server ended with %v", err)
			}
		})
	}
}
