package app

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

// streaming is a running server whose feeds are written to from inside: events
// by the hundred are no business of bookings.
type streaming struct {
	*feedtest.Writer
	*instance
	t      *testing.T
	server *Server
}

func startStreaming(t *testing.T, changes ...func(*Settings)) *streaming {
	t.Helper()
	settings := Settings{
		Addr: "127.0.0.1:0", DatabaseURL: pgtest.URL(t), JWTSecret: testSecret, InternalTokens: []string{testInternal},
		MaxPending: 10, ShutdownTimeout: 10 * time.Second,
	}
	for _, change := range changes {
		change(&settings)
	}
	log := &programtest.Text{}
	server, err := New(t.Context(), settings, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s := &streaming{t: t, server: server, instance: &instance{t: t, log: log}}
	s.addr, s.stop = programtest.Serve(t, server.Run)
	s.Writer = feedtest.NewWriter(t, server.pool.Pool, "pat", "chris")
	return s
}

func (s *streaming) publish(n int) {
	s.t.Helper()
	for range n {
		s.server.feeds.Publish(s.Write())
	}
}

// dialects are the ways to speak to the server: HTTP/1.1 carries Connect and
// gRPC-Web alone.
var dialects = map[string]struct {
	http2   bool
	options []connect.ClientOption
}{
	"connect":              {},
	"connect over HTTP/2":  {http2: true},
	"connect JSON":         {options: []connect.ClientOption{connect.WithProtoJSON()}},
	"gRPC":                 {http2: true, options: []connect.ClientOption{connect.WithGRPC()}},
	"gRPC-Web":             {options: []connect.ClientOption{connect.WithGRPCWeb()}},
	"gRPC-Web over HTTP/2": {http2: true, options: []connect.ClientOption{connect.WithGRPCWeb()}},
}

// at is a client's view of the server at another address: behind a proxy.
func (s *streaming) at(addr string) *streaming {
	behind := *s
	behind.instance = &instance{t: s.t, addr: addr, log: s.log}
	return &behind
}

func (s *streaming) client(dialect string) bookingsv1connect.EventServiceClient {
	d := dialects[dialect]
	// A small window, as a caller with little memory has.
	transport := &http.Transport{HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}}
	if d.http2 {
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(true)
		transport.Protocols = &protocols
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return bookingsv1connect.NewEventServiceClient(&http.Client{Transport: transport}, s.url(), d.options...)
}

type stream struct {
	t *testing.T
	*connect.ServerStreamForClient[bookingsv1.StreamEventsResponse]
}

// open opens a stream as the provider, or with another header.
func (s *streaming) open(dialect string, r *bookingsv1.StreamEventsRequest, headers ...string) *stream {
	s.t.Helper()
	headers = append(headers, "Authorization", "Bearer "+s.token(booking.RoleProvider, "pat"))
	ctx, call := connect.NewClientContext(s.t.Context())
	call.RequestHeader().Set(headers[0], headers[1])
	opened, err := s.client(dialect).StreamEvents(ctx, r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = opened.Close() })
	return &stream{t: s.t, ServerStreamForClient: opened}
}

// live opens a stream and reads its first message.
func (s *streaming) live(dialect string, r *bookingsv1.StreamEventsRequest, headers ...string) *stream {
	s.t.Helper()
	opened := s.open(dialect, r, headers...)
	if !opened.Receive() || opened.Msg().GetReady() == nil {
		s.t.Fatalf("%s: instead of ready came %v, %v", dialect, opened.Msg(), opened.Err())
	}
	return opened
}

func (s *stream) wants(first, last int64) {
	s.t.Helper()
	for number := first; number <= last; number++ {
		if !s.Receive() || s.Msg().GetEvent().GetSequence() != number {
			s.t.Fatalf("instead of %d came %v, %v", number, s.Msg(), s.Err())
		}
	}
}

// wantsEnd reads to the end and returns its ErrorInfo.
func (s *stream) wantsEnd(code connect.Code, reason booking.Reason) *errdetails.ErrorInfo {
	s.t.Helper()
	for s.Receive() {
	}
	info := infoOf(s.Err())
	if connect.CodeOf(s.Err()) != code || info.GetReason() != string(reason) {
		s.t.Errorf("it ended with %v, %v", s.Err(), info)
	}
	return info
}

func infoOf(err error) *errdetails.ErrorInfo {
	var told *connect.Error
	if !errors.As(err, &told) {
		return nil
	}
	for _, detail := range told.Details() {
		if value, err := detail.Value(); err == nil {
			if info, ok := value.(*errdetails.ErrorInfo); ok {
				return info
			}
		}
	}
	return nil
}

func after(number int64) *bookingsv1.StreamEventsRequest {
	return &bookingsv1.StreamEventsRequest{AfterSequence: &number}
}

func TestAStreamReplaysAndGoesOnLive(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	s.Fill(5)
	for dialect := range dialects {
		live, resumed := s.live(dialect, &bookingsv1.StreamEventsRequest{}), s.live(dialect, after(2))
		head := int64(len(s.IDs(s.Provider)))
		resumed.wants(3, head)
		s.publish(3)
		live.wants(head+1, head+3)
		resumed.wants(head+1, head+3)
		_, _ = live.Close(), resumed.Close()
	}
}

func TestAStreamsEventIsTheEnvelope(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	opened := s.live("gRPC", &bookingsv1.StreamEventsRequest{})
	s.publish(1)
	opened.wants(1, 1)
	e := opened.Msg().GetEvent()
	id := s.IDs(s.Provider)[0]
	if e.GetId() != id || e.GetSource() != "/bookings/feeds/provider/pat" || e.GetType() != "booking.rescheduled" ||
		e.GetSpecversion() != "1.0" || e.GetDatacontenttype() != "application/json" ||
		e.GetSubject() != e.GetData().GetFields()["bookingId"].GetStringValue() {
		t.Errorf("the event is %v", e)
	}
}

func TestAStreamFromAPointOutsideTheFeedIsRefused(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	s.Fill(5)
	if _, _, err := feed.Prune(t.Context(), s.server.pool, time.Now().AddDate(100, 0, 0)); err != nil {
		t.Fatal(err)
	}
	s.Fill(2)
	for dialect := range dialects {
		for _, number := range []int64{0, 4, 8} {
			if info := s.open(dialect, after(number)).wantsEnd(connect.CodeOutOfRange, booking.ReasonSequenceOutOfRange); info.GetMetadata()["head"] != "7" {
				t.Errorf("%s after %d: %v", dialect, number, info)
			}
		}
		s.open(dialect, after(-1)).wantsEnd(connect.CodeInvalidArgument, booking.ReasonValidationFailed)
		s.live(dialect, after(5)).wants(6, 7)
	}
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: booking.RoleProvider, ID: "pat"}, "", "", time.Now(), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var opened []*stream
	for dialect := range dialects {
		opened = append(opened, s.live(dialect, &bookingsv1.StreamEventsRequest{}, "Authorization", "Bearer "+token))
	}
	for _, o := range opened {
		o.wantsEnd(connect.CodeUnauthenticated, booking.ReasonTokenExpired)
	}
}

func TestAStreamEndsWhenTheServerStops(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	var all sync.WaitGroup
	for dialect := range dialects {
		opened := s.live(dialect, &bookingsv1.StreamEventsRequest{})
		all.Go(func() { opened.wantsEnd(connect.CodeUnavailable, booking.ReasonShuttingDown) })
	}
	s.stop()
	all.Wait()
}

func TestAStreamThatIsReadSlowlyMissesNothing(t *testing.T) {
	t.Parallel()
	const burst = 1500 // more than the server keeps at hand
	s := startStreaming(t)
	for _, dialect := range []string{"gRPC", "connect over HTTP/2"} {
		head := int64(len(s.IDs(s.Provider)))
		slow := s.live(dialect, &bookingsv1.StreamEventsRequest{})
		s.Fill(burst)
		entries, err := feed.Read(t.Context(), s.server.pool, s.Provider, head, burst)
		if err != nil {
			t.Fatal(err)
		}
		read := s.server.feeds.PagesRead()
		for i := range entries {
			s.server.feeds.Publish(entries[i : i+1])
		}
		slow.wants(head+1, head+burst)
		if s.server.feeds.PagesRead() == read {
			t.Errorf("%s: the server kept more than this test assumes", dialect)
		}
		_ = slow.Close()
	}
}

func TestStreamsAndSocketsShareAUsersPlaces(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	for range feed.MaxReaders / 2 {
		s.live("gRPC", &bookingsv1.StreamEventsRequest{})
		conn, _, err := websocket.Dial(t.Context(), s.url()+"/ws", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + s.token(booking.RoleProvider, "pat")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.CloseNow() }()
	}
	s.open("gRPC", &bookingsv1.StreamEventsRequest{}).wantsEnd(connect.CodeResourceExhausted, booking.ReasonRateLimited)
	own := &bookingsv1.StreamEventsRequest{Role: bookingsv1.Role_ROLE_PROVIDER, UserId: "pat"}
	for range 2 * feed.MaxReaders {
		s.live("gRPC", own, "X-Internal-Token", testInternal)
	}
}

func TestServicesReadAnyFeedAndPeopleTheirOwn(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	s.Fill(1)
	named := func(role bookingsv1.Role, user string) *bookingsv1.StreamEventsRequest {
		r := after(0)
		r.Role, r.UserId = role, user
		return r
	}
	customer, provider := bookingsv1.Role_ROLE_CUSTOMER, bookingsv1.Role_ROLE_PROVIDER
	s.live("gRPC", named(customer, "chris"), "X-Internal-Token", testInternal).wants(1, 1)
	s.live("gRPC", named(provider, "pat"), "X-Internal-Token", testInternal).wants(1, 1)
	s.live("gRPC", named(provider, "pat")).wants(1, 1)
	s.open("gRPC", named(0, "pat"), "X-Internal-Token", testInternal).wantsEnd(connect.CodeInvalidArgument, booking.ReasonValidationFailed)
	for _, foreign := range []*bookingsv1.StreamEventsRequest{named(customer, "pat"), named(provider, "chris"), named(0, "chris")} {
		s.open("gRPC", foreign).wantsEnd(connect.CodePermissionDenied, booking.ReasonNotAllowed)
	}
}

// A request may take 10 seconds to arrive, and its answer hours; 5 seconds are
// for each message of it to be read.
func TestAStreamIsCutForNotReadingAndNotForItsAge(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	const burst, requestTime = 1500, 10 * time.Second
	s := startStreaming(t)
	var aging []*stream
	for dialect := range dialects {
		aging = append(aging, s.live(dialect, &bookingsv1.StreamEventsRequest{}))
	}
	began := time.Now()
	busy := feedtest.NewWriter(t, s.server.pool.Pool, "busy", "nobody")
	busy.Fill(burst)
	unread := after(0)
	unread.Role, unread.UserId = bookingsv1.Role_ROLE_PROVIDER, busy.Provider.User
	s.live("gRPC", unread, "X-Internal-Token", testInternal)
	pgtest.Eventually(t, "the unread stream is cut", func() bool {
		return strings.Contains(s.log.String(), `"code":"resource_exhausted","user":"internal"`)
	})
	pgtest.Eventually(t, "the streams are old", func() bool { return time.Since(began) > requestTime+time.Second })
	s.publish(2)
	for _, a := range aging {
		a.wants(1, 2)
	}
}

func TestACallerWhoGoesAwayGivesItsPlaceBack(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	for dialect := range dialects {
		for range 2 * feed.MaxReaders {
			pgtest.Eventually(t, "a place is free", func() bool {
				opened := s.open(dialect, &bookingsv1.StreamEventsRequest{})
				admitted := opened.ResponseHeader().Get("Content-Type") != "" && opened.Err() == nil
				_ = opened.Close()
				return admitted
			})
		}
	}
}
