package wsapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

// ended are the lines about sockets that have ended.
func (l *log) ended(t *testing.T) (lines []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range strings.Lines(l.text.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line["msg"] == "socket closed" {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestTheEndOfASocketIsOneLineOfTheLog(t *testing.T) {
	t.Parallel()
	impatient := unhurried
	impatient.ping, impatient.silence = 500*time.Millisecond, 50*time.Millisecond
	for name, test := range map[string]struct {
		times timing
		end   func(d *door, r *raw)
		code  string
	}{
		"a goodbye":             {unhurried, func(_ *door, r *raw) { r.send(fin|opClose, "\x03\xe8") }, "1000"},
		"a goodbye of its own":  {unhurried, func(_ *door, r *raw) { r.send(fin|opClose, "\x0f\xa1bye") }, "4001"},
		"a goodbye for nothing": {unhurried, func(_ *door, r *raw) { r.send(fin|opClose, "") }, "1005"},
		"a cut line":            {unhurried, func(_ *door, r *raw) { _ = r.conn.Close() }, "1006"},
		"a line that is reset":  {unhurried, func(_ *door, r *raw) { _ = r.conn.SetLinger(0); _ = r.conn.Close() }, "1006"},
		"a peer that is silent": {impatient, func(*door, *raw) {}, "1006"},
		"a binary frame":        {unhurried, func(_ *door, r *raw) { r.send(fin|opBinary, "x") }, "1003"},
		"an unknown opcode":     {unhurried, func(_ *door, r *raw) { r.send(fin|0x3, "{}") }, "1002"},
		"a server that stops":   {unhurried, func(d *door, _ *raw) { d.feeds.EndAll(0) }, "1001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t, hurry(test.times))
			r := d.connectRaw()
			d.publish(3)
			r.wantsEntries(1, 3)
			test.end(d, r)
			d.isEmpty()
			lines := d.log.ended(t)
			if len(lines) != 1 {
				t.Fatalf("%d lines: %v", len(lines), lines)
			}
			line := lines[0]
			got := fmt.Sprint(line["level"], line["code"], line["user"], line["peer"], line["events"])
			if want := fmt.Sprint("INFO", test.code, "provider/pat", "127.0.0.1", 3.0); got != want {
				t.Errorf("the line is %v", line)
			}
			if duration, ok := line["durationMs"].(float64); !ok || duration <= 0 || duration > 60_000 {
				t.Errorf("it took %v", line["durationMs"])
			}
			if id, _ := line["requestId"].(string); len(id) != 36 || !d.log.has(`"code":"101","user":"provider/pat","peer":"127.0.0.1","requestId":"`+id+`"`) {
				t.Errorf("the line is of request %q", id)
			}
		})
	}
}

func TestTheEndOfASocketTellsOfAnExpiredToken(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	header := bearer(sign(t, booking.RoleProvider, "pat", time.Now().Add(-time.Minute), 50*time.Second))
	header.Set("X-Request-Id", "ours")
	conn, _, err := d.try("", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	(&client{t: t, conn: conn}).wantsClose(closeUnauthorized)
	pgtest.Eventually(t, "the line", func() bool { return len(d.log.ended(t)) == 1 })
	if line := d.log.ended(t)[0]; line["code"] != "4401" || line["events"] != 0.0 || line["requestId"] != "ours" {
		t.Errorf("the line is %v", line)
	}
}
