package app

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

// startProxy runs a real proxy in front of servers until the test ends, in a
// folder of its own that has the configuration as "conf". It returns when the
// proxy listens on its addresses.
func startProxy(t *testing.T, conf string, addrs []string, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs %s on the PATH", program)
	}
	command := exec.Command(path, args...)
	command.Dir = t.TempDir()
	command.Env = []string{"HOME=" + command.Dir} // where Caddy keeps its own
	if err := os.WriteFile(filepath.Join(command.Dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	programtest.Start(t, command)
	for _, addr := range addrs {
		pgtest.Eventually(t, program+" listens", func() bool { return listens(t, addr) })
	}
}

func listens(t *testing.T, addr string) bool {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// freeAddr is an address that nobody listens on, as a server needs that comes
// back.
func freeAddr(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", freePorts(t, 1)[0])
}

// startNginx runs nginx with this in the block http of its configuration.
func startNginx(t *testing.T, http string, addrs ...string) {
	t.Helper()
	// nginx keeps out of the folders of the system.
	const around = `
daemon off; master_process off; pid pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  %s
}`
	startProxy(t, fmt.Sprintf(around, http), addrs, "nginx", "-e", "stderr", "-p", ".", "-c", "conf")
}
