package app

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"bookings/internal/booking"
)

// framed is what gRPC puts around a message.
func framed(flags byte, size int, message string) string {
	return string([]byte{flags, byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}) + message
}

// grpcRaw sends a body as gRPC, whatever it is.
func (i *instance) grpcRaw(procedure, media, body string, header http.Header) answer {
	i.t.Helper()
	request := i.post(procedure, media, strings.NewReader(body), header)
	request.Header.Set("Te", "trailers")
	response, err := i.http2.RoundTrip(request)
	if err != nil {
		i.t.Fatal(err)
	}
	return grpcAnswer(i, response)
}

// grpcAnswer reads the headers and trailers of an answer of gRPC's.
func grpcAnswer(i *instance, response *http.Response) answer {
	i.t.Helper()
	a := newAnswer(response, readAll(i.t, response))
	a.status = grpcStatus(i.t, a.header)
	return a
}

// grpcStatus reads an error in gRPC's trailers.
func grpcStatus(t testing.TB, header http.Header) *status.Status {
	t.Helper()
	code, err := strconv.Atoi(header.Get("Grpc-Status"))
	if err != nil {
		t.Fatalf("no Grpc-Status in %v", header)
	}
	if code == 0 {
		return nil
	}
	message, err := url.PathUnescape(header.Get("Grpc-Message"))
	if err != nil {
		t.Fatal(err)
	}
	told := &status.Status{Code: int32(code), Message: message}
	details, err := base64.RawStdEncoding.DecodeString(header.Get("Grpc-Status-Details-Bin"))
	if err == nil {
		err = proto.Unmarshal(details, told)
	}
	if err != nil || told.GetCode() != int32(code) || told.GetMessage() != message {
		t.Fatalf("status and details disagree (%v): %v", err, header)
	}
	return told
}

func TestGRPCFramesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	i := start(t)
	good := string(binary(t))
	whole := framed(0, len(good), good)
	const media = "application/grpc"
	for _, bad := range []struct {
		name, media, body, want string
		header                  http.Header
	}{
		{"good", media, whole, fine, nil},
		{"no message", media, "", unsupported, nil},
		{"two messages", media, whole + whole, unsupported, nil},
		{"half a frame", media, "\x00\x00", unreadable, nil},
		{"half a message", media, whole[:20], unreadable, nil},
		{"more behind", media, whole + "x", unreadable, nil},
		{"4 GiB promised", media, framed(0, 1<<32-1, good), tooLarge, nil},
		{"unknown flags", media, framed(0xf0, len(good), good), unreadable, nil},
		{"compressed, but not said how", media, framed(1, len(good), good), unreadable, nil},
		{"an end of gRPC-Web", media, framed(0x80, 2, "\r\n"), unreadable, nil},
		{"empty message", media, framed(0, 0, ""), invalid + "end_time,start_time", nil},
		{"no UTF-8", media, framed(0, 3, string(text(5, "\xff"))), invalid + "body", nil},
		{"unknown codec", media + "+thrift", whole, unsupported, nil},
		{"unknown compression", media, whole, unsupported, http.Header{"Grpc-Encoding": {"br"}}},
		{"a word for a timeout", media, whole, unreadable, http.Header{"Grpc-Timeout": {"soon"}}},
		{"a timeout that is over", media, whole, "DEADLINE_EXCEEDED DEADLINE_EXCEEDED", http.Header{"Grpc-Timeout": {"1n"}}},
	} {
		header := i.as(booking.RoleCustomer, "cara")
		maps.Copy(header, bad.header)
		got := i.grpcRaw(bookingService+"CreateBooking", bad.media, bad.body, header)
		checkVerdict(t, bad.name, got, bad.want)
	}
}

func TestRequestsForStreamsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for body, want := range map[string]string{
		framed(0, 5, "a"):                     unreadable,
		framed(1, 1, "a"):                     unreadable,
		framed(0, maxBody+1, ""):              tooLarge,
		framed(0, 1, "\xff"):                  invalid + "body",
		framed(0, 2, string(number(1, 7))):    invalid + "role",
		framed(0, 3, string(text(2, "\x00"))): invalid + "user_id",
		"":                                    unsupported,
	} {
		got := i.grpcRaw(eventService+"StreamEvents", "application/grpc", body, i.as(booking.RoleCustomer, "cara"))
		checkVerdict(t, body, got, want)
	}
	checkVerdict(t, "no token", i.grpcRaw(eventService+"StreamEvents", "application/grpc", framed(0, 0, ""), http.Header{}), tokenMissing)
}

func TestConnectRequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	i := start(t)
	const list = bookingService + "ListBookings"
	for query, want := range map[string]string{
		"connect=v1&encoding=json&message={}": fine,
		"encoding=json&message={}":            fine,
		"":                                    unsupported,
		"connect=v1":                          unsupported,
		"connect=v1&encoding=json":            unreadable,
		"connect=v2&encoding=json&message={}": unreadable,
		"connect=v1&encoding=xml&message={}":  unsupported,
		"connect=v1&encoding=json&base64=1&message=***":                                     unreadable,
		"connect=v1&encoding=json&message={}&compression=br":                                unsupported,
		"connect=v1&encoding=json&message={}&compression=gzip":                              unreadable,
		"connect=v1&encoding=json&message=" + url.QueryEscape(`{"pageSize":-1}`):            invalid + "page_size",
		"connect=v1&encoding=json&message=" + url.QueryEscape(`{"pagesize":1}`):             invalid + "pagesize",
		"connect=v1&encoding=json&message=[]":                                               invalid + "body",
		"connect=v1&encoding=json&message=%ff":                                              invalid + "body",
		"connect=v1&encoding=proto&message=%ff":                                             invalid + "body",
		"connect=v1&encoding=proto&message=" + url.QueryEscape(string(text(1, "\xff"))):     invalid + "body",
		"connect=v1&encoding=proto&message=" + url.QueryEscape(string(text(8, "no token"))): "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token",
	} {
		got := i.curl(i.get(list+"?"+query, i.as(booking.RoleCustomer, "cara")), "ListBookings")
		checkVerdict(t, query, got, want)
	}
	for name, value := range map[string]string{"Connect-Protocol-Version": "2", "Connect-Timeout-Ms": "soon", "Content-Encoding": "br"} {
		request := i.post(list, "application/json", strings.NewReader(`{}`), i.as(booking.RoleCustomer, "cara"))
		request.Header.Set(name, value)
		got := i.curl(request, "ListBookings")
		if got.reason() == "" || got.http == http.StatusOK {
			t.Errorf("%s: %s: %v", name, value, got)
		}
		got.checkTold(t)
	}
}
