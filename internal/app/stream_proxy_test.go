package app

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/pgtest"
)

// nginxConfig stands in front of a server as its manual has it, one port for
// HTTP/1.1 and one for gRPC, and cuts off what is silent for a second.
const nginxConfig = `
daemon off; master_process off; pid %[1]s/pid; error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  proxy_read_timeout 1s; grpc_read_timeout 1s;
  server { listen 127.0.0.1:%[3]s; location / { proxy_pass http://%[2]s; proxy_http_version 1.1; proxy_set_header Connection ""; } }
  server { listen 127.0.0.1:%[4]s http2; location / { grpc_pass grpc://%[2]s; } }
}`

// startNginx puts nginx in front of a server and returns its two addresses.
func startNginx(t *testing.T, addr string) (http1, grpc string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("needs nginx on the PATH (Debian: apt-get install nginx-light)")
	}
	dir, ports := t.TempDir(), freePorts(t, 2)
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, addr, ports[0], ports[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	nginx := exec.Command(program, "-c", config, "-p", dir, "-e", "stderr")
	nginx.Stderr = &said
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Kill()
		_ = nginx.Wait()
		if t.Failed() {
			t.Logf("nginx said: %s", said.String())
		}
	})
	http1, grpc = "127.0.0.1:"+ports[0], "127.0.0.1:"+ports[1]
	for _, address := range []string{http1, grpc} {
		pgtest.Eventually(t, "nginx listens", func() bool {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		})
	}
	return http1, grpc
}

func TestASilentStreamSurvivesAProxyThatCutsOffTheSilent(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a proxy's time-out")
	}
	const timeout = time.Second // of the proxy
	s := startStreaming(t, silent(timeout/4))
	http1, grpc := startNginx(t, s.addr)
	var streams []*stream
	for dialect, address := range map[string]string{
		"connect": http1, "connect JSON": http1, "gRPC-Web": http1, "gRPC": grpc,
	} {
		streams = append(streams, s.at(address).live(dialect, &bookingsv1.StreamEventsRequest{}))
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
			t.Errorf("entry %d came", number)
		}
	}
}
