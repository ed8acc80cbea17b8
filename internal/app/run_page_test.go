package app

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runPage is docs/run.md.
type runPage struct {
	t    *testing.T
	text string
}

func readRunPage(t *testing.T) runPage {
	t.Helper()
	return runPage{t: t, text: string(readAllOf(t, "../../docs/run.md"))}
}

// block is the one in this language that has this text.
func (p runPage) block(language, has string) string {
	p.t.Helper()
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(p.text, -1) {
		if strings.Contains(found[1], has) {
			return found[1]
		}
	}
	p.t.Fatalf("docs/run.md has no %s with %q", language, has)
	return ""
}

// replaced has each of the pairs replaced, which has to be there.
func (p runPage) replaced(text string, pairs ...string) string {
	p.t.Helper()
	for n := 0; n < len(pairs); n += 2 {
		if !strings.Contains(text, pairs[n]) {
			p.t.Fatalf("docs/run.md has no %q any more", pairs[n])
		}
		text = strings.ReplaceAll(text, pairs[n], pairs[n+1])
	}
	return text
}

// front is one of the page's proxies in front of servers. What tests put into its
// settings are the addresses, a certificate, and where the log is.
type front struct {
	// addr is where it listens, cert and key are its certificate, log is its file.
	addr, cert, key, log string
	// servers are behind it.
	servers []string
	// silence is how long it lets a feed be silent, empty for what the page says.
	silence string
}

var fronts = map[string]func(runPage, front){"nginx": runPage.startNginx, "Caddy": runPage.startCaddy}

func (p runPage) startNginx(f front) {
	p.t.Helper()
	var upstreams []string
	for _, server := range f.servers {
		upstreams = append(upstreams, "server "+server+" max_fails=0;")
	}
	conf := p.replaced(p.block("nginx", "grpc_pass"),
		"listen 443 ssl", "listen "+f.addr+" ssl",
		"/etc/letsencrypt/live/api.example.com/fullchain.pem", f.cert,
		"/etc/letsencrypt/live/api.example.com/privkey.pem", f.key,
		"/var/log/nginx/bookings.log", f.log,
		"server 127.0.0.1:8080 max_fails=0;", strings.Join(upstreams, " "),
	)
	if f.silence != "" {
		conf = p.replaced(conf, "_timeout 60s;", "_timeout "+f.silence+";", "_timeout  60s;", "_timeout "+f.silence+";")
	}
	startNginx(p.t, conf, f.addr)
}

func (p runPage) startCaddy(f front) {
	p.t.Helper()
	const globals = "{\n\tadmin off\n\tauto_https off\n\tservers {\n\t\tprotocols h1 h2\n\t}\n}\n"
	conf := p.replaced(p.block("caddy", "reverse_proxy"),
		"api.example.com {", fmt.Sprintf("%s {\n\ttls %s %s", f.addr, f.cert, f.key),
		"/var/log/caddy/bookings.log", f.log,
		"health_interval 1s", "health_interval 100ms",
		" h2c://127.0.0.1:8080 ", " h2c://"+strings.Join(f.servers, " h2c://")+" ",
		" 127.0.0.1:8080 ", " "+strings.Join(f.servers, " ")+" ",
	)
	startProxy(p.t, globals+conf, []string{f.addr}, "caddy", "run", "--config", "conf", "--adapter", "caddyfile")
}

// behind starts a proxy of the page and is a client in front of it.
func (p runPage) behind(start func(runPage, front), i *instance, f front) (*instance, front) {
	p.t.Helper()
	ca := newAuthority(p.t)
	f.cert, f.key = ca.serverFiles()
	f.addr, f.log = freeAddr(p.t), filepath.Join(p.t.TempDir(), "log")
	if f.servers == nil {
		f.servers = []string{i.addr}
	}
	start(p, f)
	proxy := i.with(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.pool()})
	proxy.addr = f.addr
	return proxy, f
}

// from is the same client, calling from another address of this machine.
func (i *instance) from(address string) *instance {
	i.t.Helper()
	other := i.with(i.tls)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	other.http1.DialContext, other.http2.DialContext = dialer.DialContext, dialer.DialContext
	return other
}

func TestTheServerTakesTheSettingsOfThePage(t *testing.T) {
	t.Parallel()
	page := readRunPage(t)
	var environ []string
	for line := range strings.Lines(page.block("ini", "DATABASE_URL=")) {
		environ = append(environ, strings.TrimSpace(line))
	}
	if settings, err := FromEnvironment(environ); err != nil {
		t.Error(err)
	} else if settings.TrustedProxies == nil || settings.InternalAddr == "" || settings.JWKSURL == "" {
		t.Errorf("the page's settings are %+v", settings)
	}
}

func TestSystemdTakesTheServiceOfThePage(t *testing.T) {
	t.Parallel()
	page := readRunPage(t)
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("needs systemd-analyze")
	}
	// It looks whether what is to be run is there.
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "bookings.service")
	text := page.replaced(page.block("ini", "[Service]"), "/usr/local/bin/bookings", program)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("%v\n%s", err, said)
	}
}
