package app

import (
	"fmt"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
)

// nginxThatCutsOff stands in front of a server as its manual has it, one port for
// HTTP/1.1 and one for gRPC, and cuts off what is silent for a second.
const nginxThatCutsOff = `
  proxy_read_timeout 1s; grpc_read_timeout 1s;
  server { listen %[2]s; location / { proxy_pass http://%[1]s; proxy_http_version 1.1; proxy_set_header Connection ""; } }
  server { listen %[3]s http2; location / { grpc_pass grpc://%[1]s; } }`

func TestASilentStreamSurvivesAProxyThatCutsOffTheSilent(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a proxy's time-out")
	}
	const timeout = time.Second // of the proxy
	s := startStreaming(t, silent(timeout/4))
	http1, grpc := freeAddr(t), freeAddr(t)
	startNginx(t, fmt.Sprintf(nginxThatCutsOff, s.addr, http1, grpc), http1, grpc)
	s.survivesSilence(timeout, map[string]string{
		"connect": http1, "connect JSON": http1, "gRPC-Web": http1, "gRPC": grpc,
	})
}

// survivesSilence keeps a stream of each dialect open at an address, behind a
// proxy, for longer than its time-out.
func (s *streaming) survivesSilence(timeout time.Duration, addrs map[string]string) {
	s.t.Helper()
	var streams []*stream
	for dialect, addr := range addrs {
		streams = append(streams, s.at(addr).live(dialect, &bookingsv1.StreamEventsRequest{}))
	}
	began := time.Now()
	for _, opened := range streams {
		for time.Since(began) < 3*timeout {
			opened.wantsCheckpoint(0)
		}
	}
	s.publish(1)
	for _, opened := range streams {
		if number := opened.nextEntry(); number != 1 {
			s.t.Errorf("entry %d came", number)
		}
	}
}
