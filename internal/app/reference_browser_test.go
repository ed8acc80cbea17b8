package app

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// tab is a page of a real browser, watched through the DevTools protocol.
type tab struct {
	t    testing.TB
	conn *websocket.Conn
	last int
	// asked are the URLs that the page has asked for, complaints what the browser has
	// to say about it: faults of scripts, and what the policy forbids.
	asked, complaints []string
}

// message is what the browser says: an answer, or an event.
type message struct {
	ID     int
	Method string
	Params struct {
		Request struct{ URL string }
		Type    string
		Entry   struct{ Source, Level, Text string }
		// ExceptionDetails are of a script that failed.
		ExceptionDetails struct{ Text string }
	}
	Result struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
}

var devTools = regexp.MustCompile(`DevTools listening on ws://([^/]+)/`)

// openTab starts a browser, or skips where there is none.
func openTab(t *testing.T) *tab {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not here")
	}
	profile, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-dev-shm-usage", "--user-data-dir="+profile, "--remote-debugging-port=0", "about:blank")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		_ = os.RemoveAll(profile)
	})
	address := ""
	for lines := bufio.NewScanner(stderr); address == "" && lines.Scan(); {
		if found := devTools.FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	conn, _, err := websocket.Dial(t.Context(), pageAt(t, address), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &tab{t: t, conn: conn}
}

// pageAt is where the browser's first page is talked to.
func pageAt(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get("http://" + address + "/json/list")
	if err != nil {
		t.Fatal(err)
	}
	var pages []struct{ Type, WebSocketDebuggerURL string }
	if err := json.Unmarshal(readAll(t, response), &pages); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(pages, func(p struct{ Type, WebSocketDebuggerURL string }) bool { return p.Type == "page" })
	return pages[at].WebSocketDebuggerURL
}

// do sends a command and waits for its answer.
func (b *tab) do(method string, params map[string]any) message {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	b.last++
	command, _ := json.Marshal(map[string]any{"id": b.last, "method": method, "params": params})
	if err := b.conn.Write(ctx, websocket.MessageText, command); err != nil {
		b.t.Fatal(err)
	}
	for {
		_, text, err := b.conn.Read(ctx)
		if err != nil {
			b.t.Fatalf("%s: %v, asked for were %v, complaints are %v", method, err, b.asked, b.complaints)
		}
		var said message
		_ = json.Unmarshal(text, &said) // what is of another shape is none of these
		switch {
		case said.ID == b.last:
			return said
		case said.Method == "Network.requestWillBeSent":
			b.asked = append(b.asked, said.Params.Request.URL)
		case said.Method == "Log.entryAdded" && said.Params.Entry.Level == "error" && said.Params.Entry.Source != "network": // a 401 is expected
			b.complaints = append(b.complaints, said.Params.Entry.Text)
		case said.Method == "Runtime.exceptionThrown":
			b.complaints = append(b.complaints, said.Params.ExceptionDetails.Text)
		}
	}
}

// await waits until an expression is true in the page.
func (b *tab) await(expression string) {
	b.t.Helper()
	b.value(`new Promise(done => { const look = () => (` + expression + `) ? done(true) : setTimeout(look, 20); look(); })`)
}

// value is what an expression comes to in the page; a promise is waited for.
func (b *tab) value(expression string) any {
	b.t.Helper()
	said := b.do("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true})
	if said.Result.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, said.Result.ExceptionDetails.Text)
	}
	return said.Result.Result.Value
}

// It is read, and a method is tried, in a browser that may ask any host there is.
func TestThePageOfTheReferenceAsksNoOtherHost(t *testing.T) {
	t.Parallel()
	i, b := bareDocs(t), openTab(t)
	for _, domain := range []string{"Network", "Log", "Runtime", "Page"} {
		b.do(domain+".enable", nil)
	}
	const text = `(document.querySelector("rapi-doc")?.shadowRoot?.textContent ?? "")`
	const buttons = `[...(document.querySelector("rapi-doc").shadowRoot.querySelector("api-request")?.shadowRoot.querySelectorAll("button") ?? [])]`
	b.do("Page.navigate", map[string]any{"url": i.url() + "/docs"})
	b.await(text + `.includes("RescheduleBooking")`)
	b.await(`(location.hash = "#get-/v1/bookings", ` + buttons + `.some(b => b.textContent.trim() === "TRY"))`)
	b.do("Runtime.evaluate", map[string]any{"expression": buttons + `.find(b => b.textContent.trim() === "TRY").click()`})
	b.await(`document.querySelector("rapi-doc").shadowRoot.querySelector("api-request").shadowRoot.textContent.includes("TOKEN_MISSING")`)
	for _, path := range []string{"/docs", "/docs/page.js", "/docs/rapidoc.js", "/openapi.yaml", "/v1/bookings"} {
		if !slices.Contains(b.asked, i.url()+path) {
			t.Errorf("%s was not asked for, of %v", path, b.asked)
		}
	}
	for _, asked := range b.asked {
		if at, err := url.Parse(asked); err != nil || at.Host != i.addr && at.Scheme != "data" {
			t.Errorf("the page asked for %s", asked)
		}
	}
	if len(b.complaints) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(b.complaints, "\n"))
	}
}
