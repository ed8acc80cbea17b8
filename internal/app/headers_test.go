package app

import (
	"net/http"
	"strings"
	"testing"

	h2 "golang.org/x/net/http2"

	"bookings/internal/booking"
	"bookings/internal/h2test"
)

func ofSize(size int, parts int) (headers []string) {
	for n := range parts {
		headers = append(headers, "x-large-"+string(rune('a'+n)), strings.Repeat("a", size/parts))
	}
	return headers
}

func TestHeadersOf64KiBPass(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for _, door := range doors {
		header := i.as(booking.RoleCustomer, "cara")
		for n := range 6 {
			header.Set("X-Large-"+string(rune('A'+n)), strings.Repeat("a", 10<<10))
		}
		checkVerdict(t, door.name, door.call(i, harmless(header)), invalid+"page_size")
		header.Set("X-Large-Z", strings.Repeat("a", 10<<10))
		got := door.call(i, harmless(header))
		checkVerdict(t, door.name, got, tooLarge)
		if !door.grpc && got.http != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: HTTP status %d", door.name, got.http)
		}
	}
}

// A proxy puts the calls of many on one connection: one of them must not end the
// others.
func TestLargeHeadersEndNoOtherCallOfTheirConnection(t *testing.T) {
	t.Parallel()
	i := bare(t)
	conn := h2test.Dial(t, i.addr)
	conn.Head(1, false, ":method", "POST", ":scheme", "http", ":authority", "server", ":path", "/v1/bookings",
		"content-type", "application/json", "content-length", "2", "authorization", "Bearer "+i.token(booking.RoleCustomer, "cara"))
	stream := uint32(3)
	for _, parts := range []int{1, 4, 20} {
		for _, size := range []int{60 << 10, 100 << 10, 200 << 10} {
			conn.Request(stream, http.MethodGet, "/health", ofSize(size, parts)...)
			want := map[bool]string{true: "200", false: "431"}[size < 64<<10]
			if status := conn.Status(stream); status != want {
				t.Errorf("%d bytes in %d headers: status %q, want %s", size, parts, status, want)
			}
			stream += 2
		}
	}
	if err := conn.WriteData(1, true, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if status := conn.Status(1); status != "400" { // its times are missing
		t.Errorf("the other call's status is %q", status)
	}
}

func TestAConnectionTakesAThousandStreams(t *testing.T) {
	t.Parallel()
	conn := h2test.Dial(t, bare(t).addr)
	settings, ok := conn.Await(func(f h2.Frame) bool { return f.Header().Type == h2.FrameSettings }).(*h2.SettingsFrame)
	if !ok {
		t.Fatal("no settings")
	}
	if most, _ := settings.Value(h2.SettingMaxConcurrentStreams); most < 1000 {
		t.Errorf("at most %d streams", most)
	}
	for stream := range uint32(1000) {
		conn.Head(2*stream+1, false, ":method", "POST", ":scheme", "http", ":authority", "server", ":path", "/health")
	}
	conn.Status(1999)
}
