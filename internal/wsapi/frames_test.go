package wsapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

func TestPingIsAnsweredByPong(t *testing.T) {
	t.Parallel()
	c := openDoor(t).live()
	c.send(websocket.MessageText, `{"type":"ping"}`)
	if f := c.wants("stream.pong"); f.Subject != "" || f.Sequence != "" || f.Source != "/bookings/feeds/provider/pat" {
		t.Errorf("%+v", f)
	}
}

// A client may talk before it has been told anything.
func TestNothingPrecedesStreamReady(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for range 200 {
		r := d.connectRaw(masked(fin|opText, `{"type":"ping"}`)...)
		if _, payload, err := r.next(); err != nil || !strings.Contains(string(payload), `"stream.pong"`) {
			t.Errorf("after stream.ready came %s, %v", payload, err)
		}
		_ = r.conn.Close()
		d.isEmpty()
	}
}

func TestABadFrameIsAnsweredByAnError(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for _, message := range []string{``, `{`, `[]`, `"ping"`, `null`, `{}`, `{"type":"pong"}`, `{"type":1}`, `{"type":"ping"} {}`, `{"type":"authenticate","token":1}`} {
		c := d.live()
		c.send(websocket.MessageText, message)
		if f := c.wants("stream.error"); f.Data.Reason != booking.ReasonValidationFailed || f.Data.Message == "" || f.Sequence != "" {
			t.Errorf("%s: %+v", message, f)
		}
		c.send(websocket.MessageText, `{"type":"ping"}`)
		c.wants("stream.pong")
		_ = c.conn.CloseNow()
		d.isEmpty()
	}
}

func TestAFrameOf16KiBIsRead(t *testing.T) {
	t.Parallel()
	c := openDoor(t).live()
	const around = `{"type":"ping","x":""}`
	c.send(websocket.MessageText, strings.Replace(around, `""`, `"`+strings.Repeat("x", maxFrame-len(around))+`"`, 1))
	c.wants("stream.pong")
}

func authenticate(token string) string {
	return fmt.Sprintf(`{"type":"authenticate","token":%q}`, token)
}

func TestAuthenticateRenewsTheSession(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.connect("", sign(t, booking.RoleProvider, "pat", time.Now(), 2*time.Second))
	old := c.wants("stream.ready").Data.ExpiresAt
	d.publish(3)
	c.wantsEntries(1, 3)
	c.send(websocket.MessageText, authenticate(token(t)))
	f := c.wants("stream.ready")
	if !f.Data.ExpiresAt.After(old.Add(30*time.Minute)) || f.Data.Sequence != "0000000000000000003" || f.Data.Resumed {
		t.Errorf("%+v", f.Data)
	}
	pgtest.Eventually(t, "the old expiry passes", func() bool { return time.Now().After(old.Add(100 * time.Millisecond)) })
	d.publish(1)
	c.wantsEntries(4, 4)
}

func TestARefusedTokenLeavesTheOldExpiry(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.connect("", sign(t, booking.RoleProvider, "pat", time.Now(), 2*time.Second))
	c.wants("stream.ready")
	for name, test := range map[string]struct {
		token  string
		reason booking.Reason
	}{
		"another user": {sign(t, booking.RoleProvider, "chris", time.Now(), time.Hour), booking.ReasonNotAllowed},
		"another role": {sign(t, booking.RoleCustomer, "pat", time.Now(), time.Hour), booking.ReasonNotAllowed},
		"expired":      {expired(t), booking.ReasonTokenExpired},
		"just expired": {sign(t, booking.RoleProvider, "pat", time.Now().Add(-time.Minute), 55*time.Second), booking.ReasonTokenExpired},
		"garbage":      {"x.y.z", booking.ReasonTokenInvalid},
		"none":         {"", booking.ReasonTokenInvalid},
	} {
		c.send(websocket.MessageText, authenticate(test.token))
		if f := c.wants("stream.error"); f.Data.Reason != test.reason {
			t.Errorf("%s: %+v", name, f.Data)
		}
	}
	c.wantsClose(closeUnauthorized)
}
