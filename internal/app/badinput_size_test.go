package app

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"bookings/internal/booking"
)

const (
	tooLarge    = "RESOURCE_EXHAUSTED RESOURCE_EXHAUSTED"
	unreadable  = "INVALID_ARGUMENT VALIDATION_FAILED"
	unsupported = "UNIMPLEMENTED UNIMPLEMENTED"
)

// maxBody is the limit that callers are told of.
const maxBody = 64 << 10

// padded is a good request that is as long as wanted.
func padded(size int) []byte {
	return []byte(body() + strings.Repeat(" ", size-len(body())))
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, door := range doors {
		for size, want := range map[int]string{maxBody: fine, maxBody + 1: tooLarge, maxBody + 6: tooLarge, 1 << 20: tooLarge} {
			c := call{method: "CreateBooking", raw: padded(size), header: i.as(booking.RoleCustomer, "cara")}
			if door.form == formProto {
				c.raw = text(999, strings.Repeat("a", size-5)) // an unknown field, times are missing
				if want == fine {
					want = invalid + "end_time,start_time"
				}
			}
			if got := door.call(i, c); got.verdict() != want {
				t.Errorf("%s: %d bytes: got %v, want %s", door.name, size, got, want)
			} else {
				checkVerdict(t, door.name, got, want)
			}
		}
	}
}

func TestRESTBodiesOverTheLimitAre413(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, size := range []int{maxBody + 1, maxBody + 6, 1 << 20} {
		for name, body := range map[string]io.Reader{
			"with a length": bytes.NewReader(padded(size)),
			"chunked":       io.MultiReader(bytes.NewReader(padded(size))),
		} {
			got := i.rest(i.post("/v1/bookings", "application/json", body, i.as(booking.RoleCustomer, "cara")), "CreateBooking")
			checkVerdict(t, name, got, tooLarge)
			if got.http != http.StatusRequestEntityTooLarge {
				t.Errorf("%d bytes %s: HTTP status %d", size, name, got.http)
			}
		}
	}
}

// plain is a compression that does nothing, whatever it is called.
type plain struct{ io.Writer }

func (p *plain) Reset(w io.Writer) { p.Writer = w }
func (p *plain) Close() error      { return nil }

// compressed makes a client of connect-go's compress under a name.
func compressed(name string, compressor func() connect.Compressor) []connect.ClientOption {
	return []connect.ClientOption{
		connect.WithAcceptCompression(name, func() connect.Decompressor { return new(gzip.Reader) }, compressor),
		connect.WithSendCompression(name),
	}
}

func TestCompressionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	i := start(t)
	nothing := func() connect.Compressor { return &plain{} }
	zip := func() connect.Compressor { return gzip.NewWriter(io.Discard) }
	for _, protocol := range []struct {
		name      string
		transport func(*instance) http.RoundTripper
		option    connect.ClientOption
	}{
		{"Connect", http1, connect.WithClientOptions()},
		{"gRPC-Web", http1, connect.WithGRPCWeb()},
		{"gRPC", http2, connect.WithGRPC()},
	} {
		for _, bad := range []struct {
			name    string
			options []connect.ClientOption
			raw     []byte
			want    string
		}{
			{"gzip", compressed("gzip", zip), padded(maxBody), fine},
			{"unknown", compressed("br", nothing), padded(100000), unsupported},
			{"corrupt", compressed("gzip", nothing), padded(1000), unreadable},
			{"cut short", compressed("gzip", nothing), zipped(t, 1000)[:20], unreadable},
			{"a bomb", compressed("gzip", zip), padded(maxBody + 1), tooLarge},
			{"a large bomb", compressed("gzip", nothing), zipped(t, 40<<20), tooLarge},
		} {
			send := viaConnect(formJSON, protocol.transport, append(bad.options, protocol.option)...)
			got := send(i, call{method: "CreateBooking", raw: bad.raw, header: i.as(booking.RoleCustomer, "cara")})
			checkVerdict(t, protocol.name+": "+bad.name, got, bad.want)
		}
	}
}

func TestRESTTakesGzipWithinTheLimit(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, c := range []struct {
		name, encoding string
		body           []byte
		http           int
		want           string
	}{
		{"none", "", padded(maxBody), http.StatusOK, fine},
		{"gzip", "gzip", zipped(t, 1000), http.StatusOK, fine},
		{"gzip in capitals", "GZIP", zipped(t, 1000), http.StatusOK, fine},
		{"gzip to the limit", "gzip", zipped(t, maxBody), http.StatusOK, fine},
		{"gzip past the limit", "gzip", zipped(t, maxBody+1), http.StatusRequestEntityTooLarge, tooLarge},
		{"identity", "identity", padded(1000), http.StatusOK, fine},
		{"unknown", "br", padded(1000), http.StatusUnsupportedMediaType, unsupported},
		{"two", "gzip, gzip", zipped(t, 1000), http.StatusUnsupportedMediaType, unsupported},
		{"corrupt", "gzip", padded(1000), http.StatusBadRequest, invalid + "body"},
		{"cut short", "gzip", zipped(t, 1000)[:20], http.StatusBadRequest, invalid + "body"},
		{"corrupt inside", "gzip", append(zipped(t, 1000)[:40], padded(1000)...), http.StatusBadRequest, invalid + "body"},
		{"nothing", "gzip", nil, http.StatusBadRequest, invalid + "end_time,start_time"},
		{"a bomb", "gzip", zipped(t, 40<<20), http.StatusRequestEntityTooLarge, tooLarge},
		{"gzip that is not said to be", "", zipped(t, 1000), http.StatusBadRequest, invalid + "body"},
	} {
		request := i.post("/v1/bookings", "application/json", bytes.NewReader(c.body), i.as(booking.RoleCustomer, "cara"))
		if c.encoding != "" {
			request.Header.Set("Content-Encoding", c.encoding)
		}
		got := i.rest(request, "CreateBooking")
		checkVerdict(t, c.name, got, c.want)
		if got.http != c.http {
			t.Errorf("%s: HTTP status %d, want %d", c.name, got.http, c.http)
		}
	}
}

// zipped is a padded request in gzip.
func zipped(t *testing.T, size int) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if _, err := writer.Write(padded(size)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}
