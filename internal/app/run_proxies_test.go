package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// booked is a call that books the hour n of a day to come with paul.
func booked(who http.Header, n int) call {
	start := time.Now().AddDate(0, 0, 2).Add(time.Duration(n) * time.Hour)
	request := &bookingsv1.CreateBookingRequest{
		ProviderId: "paul", StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Hour)),
	}
	return call{method: "CreateBooking", request: request, header: who}
}

func TestEachDoorIsOpenBehindTheProxiesOfThePage(t *testing.T) {
	t.Parallel()
	for name, startFront := range fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t)
			proxy, front := readRunPage(t).behind(startFront, i, front{})
			for n, door := range doors {
				who := proxy.as(booking.RoleCustomer, fmt.Sprint("customer ", n))
				who.Set("X-Request-Id", fmt.Sprint("id-", n))
				checkVerdict(t, door.name, door.call(proxy, booked(who, n)), fine)
				checkVerdict(t, door.name, door.call(proxy, booked(who, n)), "ALREADY_EXISTS SLOT_TAKEN")
				large := call{method: "CreateBooking", raw: []byte(strings.Repeat(" ", 70<<10)), header: who}
				if got := door.call(proxy, large); got.code().String() != "RESOURCE_EXHAUSTED" {
					t.Errorf("%s: 70 KiB are answered %v", door.name, got)
				}
				logged := func() bool { return strings.Contains(string(readAllOf(t, front.log)), fmt.Sprint("id-", n)) }
				i.awaitf(logged, "%s: the request in the log of %s", door.name, name)
			}
		})
	}
}

// feeds are followers of paul's feed, by each protocol that has one.
func feeds() []*follower {
	all := []*follower{{name: "/ws", open: socketOf(booking.RoleProvider, "paul")}}
	for _, dialect := range []string{"connect", "connect JSON", "gRPC", "gRPC-Web"} {
		all = append(all, &follower{name: dialect, open: streamBy(dialect)})
	}
	return all
}

func streamBy(dialect string) func(context.Context, *instance, feed.Point) (opened, error) {
	return func(ctx context.Context, i *instance, after feed.Point) (opened, error) {
		transport := i.http1
		if dialects[dialect].http2 {
			transport = i.http2
		}
		client := bookingsv1connect.NewEventServiceClient(&http.Client{Transport: transport}, i.url(), dialects[dialect].options...)
		ctx, call := connect.NewClientContext(ctx)
		call.RequestHeader().Set("Authorization", i.as(booking.RoleProvider, "paul").Get("Authorization"))
		stream, err := client.StreamEvents(ctx, &bookingsv1.StreamEventsRequest{AfterSequence: &after.Sequence, AfterId: after.ID})
		if err != nil {
			return nil, told(err)
		}
		return func() (feed.Point, error) { return readMessage(stream, after) }, nil
	}
}

// awaitEntry waits until each of them has read an entry, on the connection that it has.
func awaitEntry(t *testing.T, followers []*follower, number int64) {
	t.Helper()
	for _, f := range followers {
		pgtest.Eventually(t, fmt.Sprintf("entry %d by %s", number, f.name), func() bool {
			last, err := f.state()
			if err != nil {
				t.Fatalf("%s ended: %v", f.name, err)
			}
			return last.Sequence == number
		})
	}
}

func (f *follower) follow(ctx context.Context, t *testing.T, i *instance, after feed.Point) {
	t.Helper()
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		f.run(ctx, i, after)
	}()
}

// The events come while the stream is open: nothing holds them back.
func TestFeedsAreFollowedAndResumedBehindTheProxiesOfThePage(t *testing.T) {
	t.Parallel()
	for name, startFront := range fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t)
			proxy, _ := readRunPage(t).behind(startFront, i, front{})
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			first, second := feeds(), feeds()
			for _, f := range first {
				f.follow(ctx, t, proxy, feed.Point{})
			}
			who := proxy.as(booking.RoleCustomer, "cara")
			for n := range 2 {
				checkVerdict(t, "create", rest(proxy, booked(who, n)), fine)
				awaitEntry(t, first, int64(n)+1)
			}
			last, _ := first[0].state()
			cut()
			checkVerdict(t, "create", rest(proxy, booked(who, 2)), fine)
			again, end := context.WithCancel(t.Context())
			defer end()
			for _, f := range second {
				f.follow(again, t, proxy, last)
			}
			awaitEntry(t, second, 3)
		})
	}
}

// What the page lets be silent for 60 seconds is cut off after 30 here, so that the
// server's signs of life, which come each 25 seconds, are what keeps it.
func TestSilentFeedsSurviveBehindTheProxiesOfThePage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a proxy's time-out")
	}
	const silence = 30 * time.Second
	for name, startFront := range fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t)
			proxy, _ := readRunPage(t).behind(startFront, i, front{silence: silence.String()})
			ctx, end := context.WithCancel(t.Context())
			defer end()
			followers, who := feeds(), proxy.as(booking.RoleCustomer, "cara")
			for _, f := range followers {
				f.follow(ctx, t, proxy, feed.Point{})
			}
			checkVerdict(t, "create", rest(proxy, booked(who, 0)), fine)
			awaitEntry(t, followers, 1)
			<-time.After(silence + 2*time.Second)
			checkVerdict(t, "create", rest(proxy, booked(who, 1)), fine)
			awaitEntry(t, followers, 2)
		})
	}
}

func TestCallersBehindTheProxiesOfThePageAreToldApart(t *testing.T) {
	t.Parallel()
	for name, startFront := range fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t, func(s *Settings) {
				s.RateLimit, s.TrustedProxies = 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			})
			proxy, _ := readRunPage(t).behind(startFront, i, front{})
			one, other := proxy.from("127.0.0.2"), proxy.from("127.0.0.3")
			_, err := one.http1.DialContext(t.Context(), "tcp", one.addr)
			if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EADDRNOTAVAIL) {
				t.Skip("this machine has one loopback address alone")
			}
			claiming := func(address string) call { return harmless(http.Header{"X-Forwarded-For": {address}}) }
			checkVerdict(t, "the first", curl(one, claiming("192.0.2.9")), tokenMissing)
			for _, door := range doors {
				if door.name != "grpc-go" { // which dials by itself, and so from elsewhere
					checkVerdict(t, door.name, door.call(one, claiming("192.0.2.2")), limited)
					checkVerdict(t, door.name, door.call(one, claiming("127.0.0.1")), limited)
				}
			}
			checkVerdict(t, "another", overGRPC(other, claiming("127.0.0.2")), tokenMissing)
		})
	}
}

func TestAnInstanceThatIsGoneIsPassedOverByTheProxiesOfThePage(t *testing.T) {
	t.Parallel()
	for name, startFront := range fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t)
			proxy, _ := readRunPage(t).behind(startFront, i, front{servers: []string{freeAddr(t), i.addr}})
			pgtest.Eventually(t, name+" has noticed", func() bool {
				for range 20 {
					if postThrough(proxy, proxy.http1) != nil || listByGRPC(proxy) != nil {
						return false
					}
				}
				return true
			})
			for n := range 3 {
				for _, door := range doors {
					checkVerdict(t, door.name, door.call(proxy, harmless(proxy.as(booking.RoleCustomer, fmt.Sprint(n)))), invalid+"page_size")
				}
			}
		})
	}
}

// Caddy does not repeat a gRPC call that met a connection which was closing.
func TestARollingRestartBehindTheProxiesOfThePageLosesNoPOST(t *testing.T) {
	t.Parallel()
	postJSON := func(i *instance) error { return postThrough(i, i.http1) }
	for name, c := range map[string]struct {
		start func(runPage, front)
		send  func(*instance) error
	}{
		"nginx": {runPage.startNginx, postJSON}, "nginx, gRPC": {runPage.startNginx, listByGRPC}, "Caddy": {runPage.startCaddy, postJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := startReplicas(t)
			proxy, _ := readRunPage(t).behind(c.start, servers.servers[0], front{servers: servers.addrs[:]})
			servers.restartWhile(func() error { return c.send(proxy) }, func() {
				if name == "Caddy" {
					servers.awaitChecks()
				}
			})
		})
	}
}

// awaitChecks waits until both servers have been found ready, by each of the page's proxies
// for HTTP/1.1 and gRPC.
func (r *replicas) awaitChecks() {
	r.t.Helper()
	for n, server := range r.servers {
		server.awaitf(func() bool { return strings.Count(server.log.String(), `"GET /health/ready","code":"200"`) >= 4 }, "server %d is found ready", n)
	}
}

func listByGRPC(i *instance) error {
	client := bookingsv1connect.NewBookingServiceClient(&http.Client{Transport: i.http2}, i.url(), connect.WithGRPC())
	ctx, call := connect.NewClientContext(i.t.Context())
	call.RequestHeader().Set("Authorization", i.as(booking.RoleCustomer, "cara").Get("Authorization"))
	_, err := client.ListBookings(ctx, &bookingsv1.ListBookingsRequest{})
	return err
}
