package app

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"bookings/internal/web"
)

// pagePaths are what the page at / consists of.
var pagePaths = []string{"/", "/page.js", "/page.css", "/page.js.LICENSE.txt"}

// barePage is a bare server that shows the page at /.
func barePage(t *testing.T, changes ...func(*bareServer)) *instance {
	t.Helper()
	return bare(t, append([]func(*bareServer){func(b *bareServer) { b.settings.Page = true }}, changes...)...)
}

func TestThePageIsShownWhereItIsSwitchedOn(t *testing.T) {
	t.Parallel()
	off, on := bare(t), barePage(t)
	for _, path := range pagePaths {
		if got := restAnswer(off, off.send(off.get(path, http.Header{}))); got.http != http.StatusNotFound || got.verdict() != unsupported {
			t.Errorf("%s, switched off: %v", path, got)
		}
		response, body := on.exchange(on.get(path, http.Header{}))
		if response.StatusCode != http.StatusOK || len(body) == 0 || response.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %s, %v, %d bytes", path, response.Status, response.Header, len(body))
		}
		if got := restAnswer(on, on.send(on.post(path, "text/plain", strings.NewReader("x"), http.Header{}))); got.verdict() != unsupported {
			t.Errorf("POST %s: %v", path, got)
		}
	}
	if _, body := on.exchange(on.get("/", http.Header{})); strings.Contains(string(body), web.TokenPath) {
		t.Errorf("the page names a place of tokens that is not there: %s", body)
	}
}

func TestThePageIsNotOnTheInternalListener(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide, func(s *Settings) { s.Page, s.MintTokens = true, true })
	for from, want := range map[*instance]int{i: http.StatusOK, i.internal: http.StatusNotFound} {
		for _, path := range pagePaths {
			if response, _ := from.exchange(from.get(path, http.Header{})); response.StatusCode != want {
				t.Errorf("%s of %s at %s, want %d", response.Status, path, from.addr, want)
			}
		}
		if got := from.mint(alice, http.Header{}); got.http != want {
			t.Errorf("%v at %s, want %d", got, from.addr, want)
		}
	}
}

func TestThePolicyOfThePageAllowsNothingUnsafe(t *testing.T) {
	t.Parallel()
	i := barePage(t)
	for _, path := range pagePaths {
		response, _ := i.exchange(i.get(path, http.Header{}))
		policy := response.Header.Get("Content-Security-Policy")
		for _, part := range []string{
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; ",
			"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
		} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: %s is not in %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
}

// A page of ours follows its feed at /ws, and reaches no other server.
func TestThePageReachesItsOwnServerAlone(t *testing.T) {
	t.Parallel()
	i, other, b := barePage(t), bare(t), openTab(t)
	for _, domain := range []string{"Network", "Log", "Runtime", "Page"} {
		b.do(domain+".enable", nil)
	}
	b.do("Page.navigate", map[string]any{"url": i.url() + "/"})
	b.await(`document.readyState === "complete" && location.port !== ""`)
	for _, path := range pagePaths[:3] {
		if !slices.Contains(b.asked, i.url()+path) {
			t.Errorf("%s was not asked for, of %v", path, b.asked)
		}
	}
	const socket = `new Promise(done => {
		const ended = () => done("ended");
		document.addEventListener("securitypolicyviolation", e => done(e.effectiveDirective));
		const socket = new WebSocket("ws://" + host + "/ws");
		socket.onopen = socket.onclose = ended;
	})`
	for host, want := range map[string]string{i.addr: "ended", other.addr: "connect-src"} {
		if got := b.value(`(host => ` + socket + `)("` + host + `")`); got != want {
			t.Errorf("a socket of the page at %s to %s: %v, want %s", i.addr, host, got, want)
		}
	}
	if i.log.String() == "" || strings.Contains(other.log.String(), "/ws") || !strings.Contains(i.log.String(), "/ws") {
		t.Errorf("asked were:\n%s\nand:\n%s", i.log, other.log)
	}
	const inserted = `(() => { try { document.body.innerHTML = "<b>x</b>"; return "inserted" } catch (e) { return e.name } })()`
	if got := b.value(inserted); got != "TypeError" {
		t.Errorf("a text as a part of the page: %v", got)
	}
}
