package app

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"

	"bookings/internal/booking"
)

const (
	healthCheck  = "/grpc.health.v1.Health/Check"
	healthWatch  = "/grpc.health.v1.Health/Watch"
	reflection   = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	reflectAlpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
)

// inflating is gzip of a message that has so many bytes: a service's name.
func inflating(t *testing.T, size int) string {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write(text(1, strings.Repeat("a", size-3)))
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

// Nobody has to show credentials there, so nobody may make us inflate much.
func TestProbesInflateLittle(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for _, size := range []int{4 << 10, 4<<10 + 1, 40 << 20} {
		zipped := inflating(t, size)
		frame := framed(1, len(zipped), zipped)
		for _, procedure := range []string{healthCheck, healthWatch, reflection, reflectAlpha} {
			header := http.Header{"Grpc-Encoding": {"gzip"}}
			got := i.grpcRaw(procedure, "application/grpc", frame, header)
			if tooMuch := got.verdict() == tooLarge; tooMuch != (size > 4<<10) {
				t.Errorf("gRPC %s: %d bytes: %v", procedure, size, got)
			}
			got.checkTold(t)
			if procedure == reflection || procedure == reflectAlpha {
				continue // HTTP/2 alone
			}
			request := i.post(procedure, "application/grpc-web", strings.NewReader(frame), header)
			web := newAnswer(i.exchange(request))
			if tooMuch := web.header.Get("Grpc-Status") == "8"; tooMuch != (size > 4<<10) {
				t.Errorf("gRPC-Web %s: %d bytes: %v", procedure, size, web.header)
			}
		}
		request := i.post(healthCheck, "application/proto", strings.NewReader(zipped), http.Header{"Content-Encoding": {"gzip"}})
		got := connectAnswer(i, i.send(request))
		if tooMuch := got.verdict() == tooLarge; tooMuch != (size > 4<<10) {
			t.Errorf("Connect: %d bytes: %v", size, got)
		}
	}
}

func TestConnectGETInflatesWithinTheLimitOfBodies(t *testing.T) {
	t.Parallel()
	i := bare(t)
	query := url.Values{
		"connect": {"v1"}, "encoding": {"proto"}, "compression": {"gzip"}, "base64": {"1"},
		"message": {base64.RawURLEncoding.EncodeToString([]byte(inflating(t, 10<<20)))},
	}
	request := i.get(bookingService+"GetBooking?"+query.Encode(), i.as(booking.RoleCustomer, "cara"))
	checkVerdict(t, "a bomb", connectAnswer(i, i.send(request)), tooLarge)
}

func TestProbesRefuseInOurWords(t *testing.T) {
	t.Parallel()
	i := bare(t)
	name := string(text(1, "nothing.of.ours"))
	odd := string(text(200, "neither file nor symbol"))
	for _, c := range []struct{ name, procedure, body, want string }{
		{"an unknown service", healthCheck, framed(0, len(name), name), "NOT_FOUND NOT_FOUND"},
		{"a watch", healthWatch, framed(0, len(name), name), unsupported},
		{"an unknown method", "/grpc.health.v1.Health/Nothing", "", unsupported},
		{"an empty question", reflection, framed(0, len(odd), odd), unreadable},
		{"no message", healthCheck, "\x00\x00\x00\x00\x05", unreadable},
	} {
		got := i.grpcRaw(c.procedure, "application/grpc", c.body, http.Header{})
		if checkVerdict(t, c.name, got, c.want); strings.Contains(got.text, "nothing.of.ours") {
			t.Errorf("%s: %s", c.name, got.text)
		}
	}
	request := i.post(reflection, "application/grpc-web", strings.NewReader(""), http.Header{})
	if response, _ := i.exchange(request); response.StatusCode != http.StatusHTTPVersionNotSupported {
		t.Errorf("reflection over HTTP/1.1: %s", response.Status)
	}
}

func TestReflectionSaysInOurWordsThatAnameIsUnknown(t *testing.T) {
	t.Parallel()
	i := bare(t)
	asked, err := proto.Marshal(&grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "no.such.Thing"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := i.grpcRaw(reflection, "application/grpc", framed(0, len(asked), string(asked)), http.Header{})
	var told grpc_reflection_v1.ServerReflectionResponse
	if err := proto.Unmarshal(got.body[5:], &told); err != nil {
		t.Fatal(err)
	}
	if failure := told.GetErrorResponse(); failure.GetErrorCode() != 5 || forbidden.MatchString(failure.GetErrorMessage()) {
		t.Errorf("told %v", failure)
	}
}
