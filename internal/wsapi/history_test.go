package wsapi

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coder/websocket"
)

// As many events are written after a restore as were lost by it: the next one
// shows by what it follows on that the socket's last is in no feed any more.
func TestASocketWhoseHistoryChangesEndsWith4410(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.live()
	d.publish(3)
	c.wantsEntries(1, 3)
	kept := d.IDs(d.Provider)
	d.GoBack(2)
	d.Write()
	d.publish(1)
	_, err := c.next()
	var end websocket.CloseError
	if !errors.As(err, &end) || end.Code != 4410 || end.Reason != "this feed's history has changed: reconnect" {
		t.Errorf("it ended with %v", err)
	}
	for number, resumed := range map[int]bool{2: true, 3: false} {
		again := d.connect(fmt.Sprintf("?after=%d&after_id=%s", number, kept[number-1]))
		if ready := again.wants("stream.ready"); ready.Data.Resumed != resumed {
			t.Errorf("after entry %d of the history that was: resumed %v", number, ready.Data.Resumed)
		}
	}
}
