package wsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/identity"
	"bookings/internal/middleware"
	"bookings/internal/pgtest"
	"bookings/internal/ratelimit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	secret = "a secret for tests, which nobody else may know"
	// enough is how long a test waits for what has to happen.
	enough = time.Minute
)

// door is a running /ws with a database of its own.
type door struct {
	*feedtest.Writer
	t       *testing.T
	pool    *pgxpool.Pool
	server  *httptest.Server
	feeds   *feed.Hub
	handler *Handler
	log     *log
}

func openDoor(t *testing.T, changes ...func(*Handler)) *door {
	t.Helper()
	pool := pgtest.New(t)
	d := &door{t: t, pool: pool, log: &log{}, Writer: feedtest.NewWriter(t, pool, "pat", "chris")}
	logger := slog.New(slog.NewJSONHandler(d.log, nil))
	d.feeds = feed.NewHub(pool, nil, logger)
	d.handler = &Handler{
		Responder: apierror.Responder{Log: logger},
		Gate: &middleware.Gate{
			Verifier: identity.New(identity.Options{Keys: identity.Secret(secret), Now: time.Now}),
			Limiter:  ratelimit.New(0, time.Now),
		},
		Feeds: d.feeds,
	}
	for _, change := range changes {
		change(d.handler)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /ws", d.handler)
	d.server = httptest.NewServer(&middleware.Handler{Next: mux, Log: logger, Now: time.Now})
	t.Cleanup(func() {
		d.feeds.EndAll(0)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		d.handler.Close(ctx)
		d.server.Close()
	})
	return d
}

// hurry is a change that makes times short.
func hurry(times timing) func(*Handler) { return func(h *Handler) { h.timing = times } }

// unhurried are times that no test lives to see.
var unhurried = timing{ping: time.Hour, silence: time.Hour, write: time.Hour, frame: time.Hour, goodbye: 200 * time.Millisecond}

func sign(t *testing.T, role booking.Role, user string, issued time.Time, ttl time.Duration) string {
	t.Helper()
	token, err := identity.Sign([]byte(secret), booking.Actor{Role: role, ID: user}, "", "", issued, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// token is the provider's, good for an hour.
func token(t *testing.T) string {
	t.Helper()
	return sign(t, booking.RoleProvider, "pat", time.Now(), time.Hour)
}

func expired(t *testing.T) string {
	t.Helper()
	return sign(t, booking.RoleProvider, "pat", time.Now().Add(-time.Hour), time.Minute)
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// try connects and returns what became of it; query begins with "?" or is empty.
func (d *door) try(query string, options *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), enough)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, d.server.URL+"/ws"+query, options)
	if err == nil {
		d.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, response, err
}

// status connects, reads a socket to its end where there is one, and returns
// how the handshake was answered.
func (d *door) status(options *websocket.DialOptions) int {
	d.t.Helper()
	conn, response, err := d.try("", options)
	switch {
	case err == nil:
		_, _ = (&client{t: d.t, conn: conn}).next()
		_ = conn.CloseNow()
	case response == nil:
		return 0
	default:
		_ = response.Body.Close()
	}
	return response.StatusCode
}

// client is one side of a socket.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

// connect opens the provider's socket, or that of another token.
func (d *door) connect(query string, tokens ...string) *client {
	d.t.Helper()
	tokens = append(tokens, token(d.t))
	conn, _, err := d.try(query, &websocket.DialOptions{HTTPHeader: bearer(tokens[0])})
	if err != nil {
		d.t.Fatal(err)
	}
	return &client{t: d.t, conn: conn}
}

// live is a connected client that has read its stream.ready.
func (d *door) live() *client {
	d.t.Helper()
	c := d.connect("")
	c.wants("stream.ready")
	return c
}

// frame is what the server sends.
type frame struct {
	SpecVersion, ID, Source, Type, Subject, DataContentType, Sequence string
	Time                                                              time.Time
	Data                                                              struct {
		Sequence     string
		Resumed      bool
		ExpiresAt    time.Time
		PingInterval int
		Reason       booking.Reason
		Message      string
		BookingID    string
	}
}

func (c *client) next() (frame, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), enough)
	defer cancel()
	var f frame
	_, message, err := c.conn.Read(ctx)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(message, &f)
}

// wants reads the next frame, which has to be of a type.
func (c *client) wants(kind string) frame {
	c.t.Helper()
	f, err := c.next()
	if err != nil || f.Type != kind {
		c.t.Fatalf("instead of %s came %+v, %v", kind, f, err)
	}
	return f
}

// wantsEntries reads entries with the numbers from first to last.
func (c *client) wantsEntries(first, last int64) {
	c.t.Helper()
	for number := first; number <= last; number++ {
		if f := c.wants("booking.rescheduled"); f.Sequence != feed.Sequence(number) {
			c.t.Fatalf("instead of %d came %s", number, f.Sequence)
		}
	}
}

// wantsClose reads until the end, which has to be of a code.
func (c *client) wantsClose(code websocket.StatusCode) {
	c.t.Helper()
	for {
		if _, err := c.next(); err != nil {
			if websocket.CloseStatus(err) != code {
				c.t.Errorf("the end is %v, not %d", err, code)
			}
			return
		}
	}
}

func (c *client) send(kind websocket.MessageType, message string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), kind, []byte(message)); err != nil {
		c.t.Error(err)
	}
}

// publish writes events and broadcasts them.
func (d *door) publish(n int) {
	d.t.Helper()
	for range n {
		d.feeds.Publish(d.Write())
	}
}

// isEmpty waits until no session is left.
func (d *door) isEmpty() {
	d.t.Helper()
	pgtest.Eventually(d.t, "no session is left", func() bool {
		d.handler.sockets.mu.Lock()
		defer d.handler.sockets.mu.Unlock()
		return len(d.handler.sockets.open) == 0
	})
}

// log keeps what was logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}
