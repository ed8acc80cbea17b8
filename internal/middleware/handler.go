package middleware

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/trace"

	"bookings/internal/ratelimit"
	"bookings/internal/requestid"
)

const (
	// MaxBody is the size of the largest body, in bytes.
	MaxBody = 64 << 10
	// envelope is what gRPC and Connect streams put in front of a message.
	envelope = 5
	// maxUnread is how much is read of a body that nobody has asked for.
	maxUnread = 256 << 10
	// bodyDeadline is how long a body may take to arrive: one sent a byte a
	// second would hold a handler for ever.
	bodyDeadline = 10 * time.Second
	// answerDeadline is how long a request may take, from its arrival to the last
	// byte of its answer: a peer that does not read would hold the answer for ever.
	// Streams and sockets go on for longer and bound each of their writes instead.
	answerDeadline = 30 * time.Second
)

// Handler is the outer handler around all doors.
type Handler struct {
	Next    http.Handler
	Log     *slog.Logger
	Trusted []netip.Prefix
	Now     func() time.Time
	// Draining tells that the server is about to stop; it may be nil.
	Draining func() bool
	// Side is whom the listener is for.
	Side Side
	// Certificate names the client certificate that a request's connection was made
	// with, which has been verified; nil where none is asked for.
	Certificate func(*tls.ConnectionState) string
	// Observe is told of each request: the method, or "other" where nothing is there,
	// the code that is logged, and how long it took. It may be nil.
	Observe func(method, code string, took time.Duration)
	// Tracer makes a span of each request; nil where nothing is traced.
	Tracer trace.Tracer

	// answerTime is answerDeadline where it is zero; tests are in more of a hurry.
	answerTime time.Duration
}

// ServeHTTP gives the request its id and its bounds, and writes its log line.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := h.Now()
	id := requestid.Choose(r.Header.Get(requestid.Header))
	w.Header().Set(requestid.Header, id)
	if h.Draining != nil && h.Draining() {
		// A proxy keeps connections for later calls, and may not send a POST anew that
		// meets a closed one. Of this net/http makes GOAWAY on HTTP/2.
		w.Header().Set("Connection", "close")
	}
	record := &Record{
		peer:      ratelimit.ClientAddr(r.RemoteAddr, r.Header, h.Trusted),
		header:    w.Header(),
		deadlines: http.NewResponseController(w),
		method:    r.Method + " " + r.URL.Path,
		side:      h.Side,
	}
	if h.Certificate != nil && r.TLS != nil {
		record.certificate = h.Certificate(r.TLS)
	}
	answer := &ResponseWriter{ResponseWriter: w, record: record}
	ctx := requestid.NewContext(newContext(r.Context(), record), id)
	ctx = h.trace(ctx, r.Header, id)
	defer func() { h.finish(ctx, record, answer, began, recover()) }()
	// The server's own request and writer stay as they are: by them it knows
	// that a body was not read to its end, and cuts the connection. Else the
	// rest of that body would be read as the next request.
	server := r
	r = r.WithContext(ctx)
	limitBody(w, r, h.Now())
	h.limitAnswer(record)
	defer forget(server)
	defer discard(server)
	h.Next.ServeHTTP(answer, r)
}

// discard reads what is left of a body before the answer ends, as net/http does by itself
// on HTTP/1.1. On HTTP/2 it would reset the stream right behind an answer that came
// before the body, and nginx, which still sends that, then shows the reset alone.
func discard(r *http.Request) {
	if r.ProtoMajor > 1 {
		_, _ = io.CopyN(io.Discard, r.Body, maxUnread)
	}
}

// forget gives up what a request has brought before its answer has left: HTTP/2
// keeps the request until then, and a peer without a window would make us hold
// its headers a thousand times over.
func forget(r *http.Request) {
	if r.ProtoMajor > 1 {
		clear(r.Header)
		r.URL, r.RequestURI = &url.URL{}, ""
	}
}

// limitBody bounds how much is read of a body and for how long. Once a body has
// been read the deadline has no meaning, so a stream may go on behind it.
func limitBody(w http.ResponseWriter, r *http.Request, now time.Time) {
	r.Body = http.MaxBytesReader(w, io.NopCloser(r.Body), MaxBody+envelope) // discard still reads it
	_ = http.NewResponseController(w).SetReadDeadline(now.Add(bodyDeadline))
}

// limitAnswer bounds the time until the answer has left: of HTTP/1.1's connection,
// where net/http lifts it once it has, or of HTTP/2's stream, which is reset.
func (h *Handler) limitAnswer(record *Record) {
	record.WriteUntil(h.Now().Add(cmp.Or(h.answerTime, answerDeadline)))
}

// finish answers a panic and writes the log line. http.ErrAbortHandler is how a
// handler asks net/http to cut the connection, so it goes on.
func (h *Handler) finish(ctx context.Context, record *Record, answer *ResponseWriter, began time.Time, panicked any) {
	id := requestid.From(ctx)
	if panicked != nil && panicked != http.ErrAbortHandler {
		h.Log.ErrorContext(ctx, "panic", "requestId", id, "panic", panicked, "stack", string(debug.Stack()))
		if answer.status == 0 {
			http.Error(answer, "internal error, request "+id, http.StatusInternalServerError)
		}
	}
	if !record.Answered() {
		record.MarkAnswered(answer.code())
	}
	took := h.Now().Sub(began)
	h.Log.LogAttrs(ctx, slog.LevelInfo, "request", append(record.line(), slog.String("requestId", id), slog.Float64("durationMs", Milliseconds(took)))...)
	h.observe(ctx, record, answer, took)
	if panicked == http.ErrAbortHandler {
		panic(panicked)
	}
}
