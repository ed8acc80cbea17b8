package wsapi

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// misbehaviours are what a client must not do, and what it is told.
var misbehaviours = map[string]struct {
	do   func(r *raw)
	code websocket.StatusCode
}{
	"binary frame":            {func(r *raw) { r.send(fin|opBinary, "x") }, 1003},
	"bad UTF-8":               {func(r *raw) { r.send(fin|opText, "{\"type\":\"\xff\"}") }, 1007},
	"half a rune":             {func(r *raw) { r.send(fin|opText, "\"\xc3") }, 1007},
	"a frame over 16 KiB":     {func(r *raw) { r.send(fin|opText, strings.Repeat("x", maxFrame+1)) }, 1009},
	"a message over 16 KiB":   {sendFragments, 1009},
	"11 frames at once":       {func(r *raw) { sendMany(r, 11, opText) }, 1008},
	"1000 frames at once":     {func(r *raw) { sendMany(r, 1000, opText) }, 1008},
	"1000 pings at once":      {func(r *raw) { sendMany(r, 1000, opPing) }, 1008},
	"1000 pongs at once":      {func(r *raw) { sendMany(r, 1000, opPong) }, 1008},
	"11 fragments":            {func(r *raw) { r.send(opText, ""); r.write(bytes.Repeat(masked(opContinuation, ""), 10)) }, 1008},
	"a flood of fragments":    {flood, 1008},
	"an unmasked frame":       {func(r *raw) { r.write([]byte{fin | opText, 2, '{', '}'}) }, 1002},
	"reserved bits":           {func(r *raw) { r.send(fin|0x40|opText, "{}") }, 1002},
	"an unknown opcode":       {func(r *raw) { r.send(fin|0x3, "{}") }, 1002},
	"a continuation of none":  {func(r *raw) { r.send(fin|opContinuation, "{}") }, 1002},
	"a fragmented ping":       {func(r *raw) { r.send(opPing, "") }, 1002},
	"a frame never completed": {func(r *raw) { sendMany(r, 11, opText); r.write(masked(fin|opText, "12345")[:8]) }, 1008},
}

func sendMany(r *raw, n int, opcode byte) {
	var frames []byte
	for range n {
		frames = append(frames, masked(fin|opcode, `{"type":"ping"}`)...)
	}
	r.write(frames)
}

// flood sends a message whose end does not come.
func flood(r *raw) {
	r.send(opText, "{")
	r.write(bytes.Repeat(masked(opContinuation, ""), 1<<20))
}

func sendFragments(r *raw) {
	r.send(opText, strings.Repeat("x", maxFrame))
	r.send(fin|opContinuation, "x")
}

//nolint:paralleltest,tparallel // one after the other, beside one bystander
func TestMisbehaviourIsToldByItsCodeAndDisturbsNobody(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	d := openDoor(t, hurry(unhurried))
	bystander := d.live()
	for name, bad := range misbehaviours {
		t.Run(name, func(t *testing.T) {
			r := d.connectRaw()
			r.t = t
			bad.do(r)
			r.wantsClose(bad.code)
		})
	}
	d.publish(3)
	bystander.wantsEntries(1, 3)
	_ = bystander.conn.CloseNow()
	d.isEmpty()
}

// Whatever is missing: a fragment, the payload, the header.
func TestAMessageThatIsNotWholeInTimeEndsTheSocket(t *testing.T) {
	t.Parallel()
	hurried := unhurried
	hurried.frame = 300 * time.Millisecond
	d := openDoor(t, hurry(hurried))
	for name, part := range map[string][]byte{
		"a fragment":             masked(opText, "{"),
		"a payload":              masked(fin|opText, "{}")[:7],
		"a header":               masked(fin|opText, "{}")[:1],
		"a fragment, with pings": append(masked(opText, "{"), masked(fin|opPing, "")...),
		"the second message":     append(masked(fin|opText, `{"type":"ping"}`), masked(opText, "{")...),
	} {
		r := d.connectRaw()
		r.t = t
		r.write(part)
		r.wantsClose(1008)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestTheClockOfAMessageIsNotTheSockets(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a time-out")
	}
	slow := unhurried
	slow.frame = 2 * time.Second
	r := openDoor(t, hurry(slow)).connectRaw()
	message := masked(fin|opText, `{"type":"ping"}`)
	r.write(message[:9])
	for range 3 { // the end of one and the beginning of the next arrive together
		began := time.Now()
		pgtest.Eventually(t, "half of the time passes", func() bool { return time.Since(began) > slow.frame/2 })
		r.write(append(message[9:], message[:9]...))
		if _, payload, err := r.next(); err != nil || !strings.Contains(string(payload), "stream.pong") {
			t.Fatalf("a slow frame: %s, %v", payload, err)
		}
	}
}

func TestTenFramesASecondAreAnswered(t *testing.T) {
	t.Parallel()
	c := openDoor(t).live()
	for range framesPerSecond {
		c.send(websocket.MessageText, `{"type":"ping"}`)
	}
	for range framesPerSecond {
		c.wants("stream.pong")
	}
}

func TestASocketClosesAtItsTokensExpiry(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	expires := time.Now().Add(2 * time.Second).Truncate(time.Second)
	c := d.connect("", sign(t, booking.RoleProvider, "pat", expires.Add(-time.Minute), time.Minute))
	c.wants("stream.ready")
	c.wantsClose(closeUnauthorized)
	if early := time.Until(expires); early > 0 {
		t.Errorf("it closed %v before its token expired", early)
	}
	d.isEmpty()
}

// The leeway of 30 seconds is for requests.
func TestATokenWithinTheLeewayOpensASocketThatClosesAtOnce(t *testing.T) {
	t.Parallel()
	c := openDoor(t).connect("", sign(t, booking.RoleProvider, "pat", time.Now().Add(-time.Minute), 50*time.Second))
	c.wants("stream.ready")
	c.wantsClose(closeUnauthorized)
}

func TestAPeerIsPingedAndAnswers(t *testing.T) {
	t.Parallel()
	times := unhurried
	times.ping, times.silence = 20*time.Millisecond, 10*time.Second
	d := openDoor(t, hurry(times))
	pings := make(chan struct{}, 100)
	conn, _, err := d.try("", &websocket.DialOptions{HTTPHeader: bearer(token(t)), OnPingReceived: func(context.Context, []byte) bool {
		pings <- struct{}{}
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn}
	c.wants("stream.ready")
	go d.publishWhen(pings, 5)
	c.wantsEntries(1, 1)
}

// publishWhen writes an event once there have been n signals.
func (d *door) publishWhen(signals <-chan struct{}, n int) {
	for range n {
		<-signals
	}
	d.publish(1)
}

func TestASilentPeerIsDropped(t *testing.T) {
	t.Parallel()
	times := unhurried
	times.ping, times.silence = 20*time.Millisecond, 50*time.Millisecond
	d := openDoor(t, hurry(times))
	r := d.connectRaw()
	if opcode, _, err := r.next(); opcode != opPing {
		t.Errorf("instead of a ping came %d, %v", opcode, err)
	}
	r.wantsCut()
	d.isEmpty()
}

// overrun is more entries than a hub keeps and the kernel takes.
const overrun = 2000

func TestASlowReaderDelaysNobodyAndMissesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills buffers")
	}
	d := openDoor(t, hurry(unhurried))
	slow := d.connectRaw()
	quick := d.live()
	go d.publish(overrun)
	quick.wantsEntries(1, overrun)
	read := d.feeds.PagesRead()
	slow.wantsEntries(1, overrun)
	if d.feeds.PagesRead() == read {
		t.Error("the kernel took more than this test assumes")
	}
	d.publish(1)
	slow.wantsEntries(overrun+1, overrun+1)
}

func TestASlowReaderWhoseRestIsPrunedIsTold(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills buffers")
	}
	d := openDoor(t, hurry(unhurried))
	slow := d.connectRaw()
	quick := d.live()
	go d.publish(overrun)
	quick.wantsEntries(1, overrun)
	// Events of tests happen at one time, long ago.
	if _, _, err := feed.Prune(t.Context(), d.pool, time.Now()); err != nil {
		t.Fatal(err)
	}
	slow.wantsClose(closeTooSlow)
	_ = quick.conn.CloseNow()
	d.isEmpty()
}

func TestAPeerThatDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	times := unhurried
	times.write = 100 * time.Millisecond
	d := openDoor(t, hurry(times))
	stalled := d.connectRaw()
	quick := d.live()
	go d.publish(overrun)
	quick.wantsEntries(1, overrun)
	_ = quick.conn.CloseNow()
	d.isEmpty()
	stalled.wantsCut()
}

func TestGoingAwayIsToldSpreadOverTime(t *testing.T) {
	t.Parallel()
	const sockets = 20
	const spread = 500 * time.Millisecond
	d := openDoor(t)
	var mu sync.Mutex
	var ends []time.Time
	var all sync.WaitGroup
	for i := range sockets {
		role := []booking.Role{booking.RoleProvider, booking.RoleCustomer}[i%2]
		user := []string{"pat", "chris"}[i%2]
		c := d.connect("", sign(t, role, user, time.Now(), time.Hour))
		c.wants("stream.ready")
		all.Go(func() {
			c.wantsClose(closeGoingAway)
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, time.Now())
		})
	}
	d.feeds.EndAll(spread)
	if status := d.status(&websocket.DialOptions{HTTPHeader: bearer(token(t))}); status != http.StatusServiceUnavailable {
		t.Errorf("a new socket got %d", status)
	}
	d.handler.Close(t.Context())
	all.Wait()
	if took := ends[sockets-1].Sub(ends[0]); took < spread/10 {
		t.Errorf("they ended within %v", took)
	}
}

func TestCloseCutsWhoDoesNotGoInTime(t *testing.T) {
	t.Parallel()
	times := unhurried
	times.goodbye = time.Hour
	d := openDoor(t, hurry(times))
	stuck, waiting := d.connectRaw(), d.connectRaw()
	d.publish(800) // more than their connections take
	d.feeds.EndAll(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.handler.Close(ctx)
	d.isEmpty()
	stuck.wantsCut()
	waiting.wantsCut()
}

// A handshake waits for the database, as long as a call may; the end of the
// process does not wait for it.
func TestCloseDoesNotWaitForAHandshakeThatWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	d := openDoor(t, hurry(unhurried))
	hung, err := d.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hung.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := hung.Exec(t.Context(), "LOCK TABLE feeds IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	answered := make(chan int, 1)
	go func() { answered <- d.status(&websocket.DialOptions{HTTPHeader: bearer(token(t))}) }()
	pgtest.EventuallyBlocks(t, d.pool, hung)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.handler.Close(ctx)
	select {
	case status := <-answered:
		t.Errorf("it waited until the handshake was answered with %d", status)
	default:
	}
	if err := hung.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The database answers after all: the socket opens, and is dropped at once.
	if status := <-answered; status != http.StatusSwitchingProtocols {
		t.Errorf("the handshake was answered with %d", status)
	}
	d.isEmpty()
}

// Who reconnects is not one too many while the old connection lingers.
func TestAPlaceIsFreeBeforeTheGoodbyeIsOver(t *testing.T) {
	t.Parallel()
	times := unhurried
	times.goodbye = time.Hour
	d := openDoor(t, hurry(times))
	for range 3 * feed.MaxReaders {
		r := d.connectRaw()
		r.send(fin|opBinary, "x")
		if opcode, _, err := r.next(); opcode != opClose {
			t.Errorf("instead of a close came %d, %v", opcode, err)
		}
	}
}

func TestSocketsMayComeWhileTheDoorCloses(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			options := &websocket.DialOptions{HTTPHeader: bearer(token(t))}
			if i%2 == 0 {
				options = &websocket.DialOptions{Subprotocols: []string{"bookings.v1", "bearer.bad"}}
			}
			for status := 0; status != http.StatusServiceUnavailable; {
				status = d.status(options)
			}
		})
	}
	pgtest.Eventually(t, "a socket is open", func() bool { return d.log.has(`"code":"101"`) })
	d.feeds.EndAll(10 * time.Millisecond)
	d.handler.Close(t.Context())
	all.Wait()
	d.isEmpty()
}
