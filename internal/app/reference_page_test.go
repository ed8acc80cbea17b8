package app

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bookings/internal/reference"
)

// bareDocs is a bare server that shows the reference.
func bareDocs(t *testing.T) *instance {
	t.Helper()
	return bare(t, func(b *bareServer) { b.settings.Docs = true })
}

func TestTheReferenceIsShownWhereItIsSwitchedOn(t *testing.T) {
	t.Parallel()
	off, on := bare(t), bareDocs(t)
	for path := range reference.Pages() {
		if response, body := off.exchange(off.get(path, http.Header{})); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s, switched off: %s %s", path, response.Status, body)
		}
		response, body := on.exchange(on.get(path, http.Header{}))
		if response.StatusCode != http.StatusOK || len(body) == 0 || response.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %s, %v, %d bytes", path, response.Status, response.Header, len(body))
		}
		if limited := response.Header.Get("RateLimit-Limit"); limited != "" {
			t.Errorf("%s counts against the limit", path)
		}
	}
}

func TestTheReferenceIsNotOnTheInternalListener(t *testing.T) {
	t.Parallel()
	i := start(t, withDocs, func(s *Settings) { s.InternalAddr = "127.0.0.1:0" })
	for from, want := range map[*instance]int{i: http.StatusOK, i.internal: http.StatusNotFound} {
		if response, _ := from.exchange(from.get("/docs", http.Header{})); response.StatusCode != want {
			t.Errorf("%s at %s, want %d", response.Status, from.addr, want)
		}
	}
}

func TestWhatIsNotBelowDocsIsToldInTheDoorsForm(t *testing.T) {
	t.Parallel()
	i := bareDocs(t)
	for _, path := range []string{"/docs/", "/docs/nothing", "/docs/../docs", "/docs/assets/page.js", "/openapi.yaml/", "/openapi.json"} {
		request := i.get(path, http.Header{})
		request.URL.Opaque = "//" + i.addr + path // as it is
		if got := restAnswer(i, i.send(request)); got.http != http.StatusNotFound || got.verdict() != unsupported {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := restAnswer(i, i.send(i.post("/docs", "text/plain", strings.NewReader("x"), http.Header{}))); got.verdict() != unsupported {
		t.Errorf("POST: %v", got)
	}
}

func TestAPageIsSentOnce(t *testing.T) {
	t.Parallel()
	i := bare(t, func(b *bareServer) { b.settings.Docs, b.settings.Page = true, true })
	for _, path := range slices.Concat(slices.Collect(maps.Keys(reference.Pages())), pagePaths) {
		_, plain := i.exchange(i.get(path, http.Header{}))
		for coding, unpack := range map[string]func([]byte) []byte{"": nil, "gzip": unzip, "gzip;q=0": nil, "br, gzip;q=0.5": unzip} {
			header := http.Header{"Accept-Encoding": {coding}}
			response, body := i.exchange(i.get(path, header))
			if packed := response.Header.Get("Content-Encoding") == "gzip"; packed != (unpack != nil) {
				t.Errorf("%s for %q: %v", path, coding, response.Header)
			} else if packed {
				body = unpack(body)
			}
			if !bytes.Equal(body, plain) {
				t.Errorf("%s for %q: other bytes", path, coding)
			}
			header.Set("If-None-Match", response.Header.Get("ETag"))
			if again, body := i.exchange(i.get(path, header)); again.StatusCode != http.StatusNotModified || len(body) > 0 {
				t.Errorf("%s for %q, again: %s", path, coding, again.Status)
			}
			request := i.get(path, http.Header{"Accept-Encoding": {coding}})
			request.Method = http.MethodHead
			head, none := i.exchange(request)
			if head.StatusCode != http.StatusOK || len(none) > 0 || head.ContentLength != response.ContentLength || head.Header.Get("ETag") != response.Header.Get("ETag") {
				t.Errorf("%s for %q, HEAD: %s %v", path, coding, head.Status, head.Header)
			}
		}
	}
}

func unzip(packed []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(reader)
	return plain
}

func TestThePolicyOfTheReferenceAllowsNoScriptButItsOwn(t *testing.T) {
	t.Parallel()
	i := bareDocs(t)
	response, page := i.exchange(i.get("/docs", http.Header{}))
	policy := response.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s is not in %s", part, policy)
		}
	}
	if inline := regexp.MustCompile(`<script(?:\s+defer)?>|\son[a-z]+="(?:[^"]*\()`).Find(page); inline != nil {
		t.Errorf("a script is in the page: %s", inline)
	}
	if foreign := regexp.MustCompile(`(?:src|href)="(?:https?:)?//`).Find(page); foreign != nil {
		t.Errorf("the page names another host: %s", foreign)
	}
}
