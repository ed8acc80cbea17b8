package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"bookings/internal/pgtest"
)

// startWorker runs a worker, and returns it as operators see it.
func startWorker(t *testing.T, settings Settings) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	i := newInstance(t)
	ended := make(chan error, 1)
	go func() { ended <- RunWorker(ctx, settings, slog.New(slog.NewJSONHandler(i.log, nil))) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the worker ended with %v", err)
		}
	})
	i.admin = newInstance(t)
	i.awaitf(func() bool { i.admin.addr = i.listening("ADMIN_ADDR"); return i.admin.addr != "" }, "the worker's place for operators")
	return i
}

// listening is where a server has logged that it listens.
func (i *instance) listening(setting string) string {
	for line := range strings.Lines(i.log.String()) {
		var entry struct{ Msg, Addr, Setting string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" && entry.Setting == setting {
			return entry.Addr
		}
	}
	return ""
}

func TestAWorkerShowsOperatorsItsReminders(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	server := start(t, withAdmin, func(s *Settings) {
		s.DatabaseURL, s.Worker, s.ReminderLeads = database, false, []time.Duration{700 * time.Hour} // due at once
	})
	worker := startWorker(t, Settings{
		DatabaseURL: database, AdminAddr: "127.0.0.1:0", FeedRetention: 720 * time.Hour, ShutdownTimeout: 10 * time.Second,
	})
	server.book("cara", 2)
	server.book("cara", 4)
	worker.awaitf(func() bool { return worker.scrape()["bookings_reminder_lateness_seconds_count"] == "2" }, "reminders in the worker's metrics")
	worker.checkMetrics(map[string]string{
		"bookings_database_read": "1", `bookings_pool_max_connections{pool="jobs"}`: "6",
		"bookings_sockets_open": "", `bookings_limit_calls_total{answer="allowed"}`: "", // it has no doors
	})
	server.checkMetrics(map[string]string{
		"bookings_reminder_lateness_seconds_count": "0", `bookings_pool_max_connections{pool="jobs"}`: "", "bookings_sockets_open": "0",
	})
	if done := worker.jobs("completed"); len(done) != 2 {
		t.Errorf("the worker shows %v", done)
	}
	if response, _ := worker.admin.exchange(worker.admin.get("/debug/pprof/", http.Header{})); response.StatusCode != http.StatusOK {
		t.Errorf("its profiles are answered %s", response.Status)
	}
}
