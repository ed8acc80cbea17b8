package middleware

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Record is what one request is known by, from its arrival to its log line. The
// doors fill it in. It is safe for concurrent use.
type Record struct {
	peer   netip.Addr
	header http.Header
	// deadlines is nil outside a request.
	deadlines *http.ResponseController
	// side is the listener's; certificate is the name in the client certificate of
	// the connection, where that has one.
	side        Side
	certificate string

	mu       sync.Mutex
	method   string
	route    string
	user     string
	service  string
	code     string
	answered bool
}

type contextKey struct{}

func newContext(ctx context.Context, record *Record) context.Context {
	return context.WithValue(ctx, contextKey{}, record)
}

// From is the record of the request that the context belongs to. Outside a
// request it is one that nobody reads.
func From(ctx context.Context) *Record {
	if record, ok := ctx.Value(contextKey{}).(*Record); ok {
		return record
	}
	return &Record{header: http.Header{}}
}

// Peer is the address that the request came from.
func (r *Record) Peer() netip.Addr { return r.peer }

// SetMethod names the method called, where it is more than verb and path.
func (r *Record) SetMethod(method string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.method, r.route = method, method
}

// SetRoute names what the path has led to, in words of ours: a caller, who can make
// up paths and verbs, must not make up names in metrics and traces.
func (r *Record) SetRoute(route string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.route = route
}

// told is the route, or "other" where there is none, and the code of the answer.
func (r *Record) told() (route, code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return cmp.Or(r.route, "other"), r.code
}

// MarkAnswered notes that the answer is ours, with a code of the door's protocol
// for the log. It is called before the answer's first byte: whatever is answered
// without it was answered by a protocol's library (ResponseWriter.Capture).
func (r *Record) MarkAnswered(code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code, r.answered = code, true
}

// Answered reports whether the answer is ours.
func (r *Record) Answered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answered
}

// Header is the header of the HTTP answer, whatever protocol is spoken inside
// it. It is to be set before the answer begins.
func (r *Record) Header() http.Header { return r.header }

// WriteUntil cuts the answer off where what is written does not leave in time;
// zero lifts that. It is called by the goroutine that writes.
func (r *Record) WriteUntil(deadline time.Time) {
	if r.deadlines != nil {
		_ = r.deadlines.SetWriteDeadline(deadline)
	}
}

func (r *Record) setUser(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user = user
}

func (r *Record) setService(service string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.service = service
}

// line is the record as a log line's attributes.
func (r *Record) line() []slog.Attr {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := make([]slog.Attr, 0, 7) // with what finish adds
	return append(append(line, slog.String("method", r.method), slog.String("code", r.code)), r.caller()...)
}

// Caller is who called, as a log line's attributes: for lines that are written
// after the request's own.
func (r *Record) Caller() []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	var caller []any
	for _, attribute := range r.caller() {
		caller = append(caller, attribute)
	}
	return caller
}

func (r *Record) caller() []slog.Attr {
	caller := []slog.Attr{slog.String("user", r.user), slog.String("peer", r.peer.String())}
	if service := cmp.Or(r.service, r.certificate); service != "" {
		caller = append(caller, slog.String("service", service))
	}
	return caller
}

// Milliseconds is a duration as log lines tell it.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
