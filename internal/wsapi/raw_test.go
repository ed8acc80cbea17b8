package wsapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/feed"
)

// raw is a client that may break every rule, and that answers nothing by itself.
type raw struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
}

// more opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opBinary       = 0x2
	opPong         = 0xa
	fin            = 0x80
)

// connectRaw opens the provider's socket and reads its stream.ready. The eager
// bytes are sent together with the handshake.
func (d *door) connectRaw(eager ...byte) *raw {
	d.t.Helper()
	address := strings.TrimPrefix(d.server.URL, "http://")
	server, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		d.t.Fatal(err)
	}
	conn, err := net.DialTCP("tcp", nil, server)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	r := &raw{t: d.t, conn: conn, in: bufio.NewReaderSize(conn, 1<<10)}
	_ = conn.SetReadBuffer(32 << 10)
	_ = conn.SetDeadline(time.Now().Add(enough))
	handshake := []byte("GET /ws HTTP/1.1\r\nHost: " + address + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + token(d.t) + "\r\n\r\n")
	r.write(append(handshake, eager...))
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		d.t.Fatal(response)
	}
	if opcode, payload, err := r.next(); err != nil || opcode != opText || !strings.Contains(string(payload), `"stream.ready"`) {
		d.t.Fatal(opcode, string(payload), err)
	}
	return r
}

func (r *raw) write(bytes []byte) { _, _ = r.conn.Write(bytes) }

// send writes a frame, masked with zeros: a mask that changes nothing.
func (r *raw) send(first byte, payload string) { r.write(masked(first, payload)) }

func masked(first byte, payload string) []byte {
	header := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		header = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	return append(append(header, 0, 0, 0, 0), payload...)
}

// next is the server's next frame.
func (r *raw) next() (opcode byte, payload []byte, err error) {
	var header [2]byte
	if _, err := io.ReadFull(r.in, header[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(header[1])
	if length == 126 {
		var long [2]byte
		if _, err := io.ReadFull(r.in, long[:]); err != nil {
			return 0, nil, err
		}
		length = uint64(binary.BigEndian.Uint16(long[:]))
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r.in, payload)
	return header[0] &^ fin, payload, err
}

// wantsEntries reads entries with the numbers from first to last.
func (r *raw) wantsEntries(first, last int64) {
	r.t.Helper()
	for number := first; number <= last; number++ {
		_, payload, err := r.next()
		if want := `"sequence":"` + feed.Sequence(number) + `"`; err != nil || !strings.Contains(string(payload), want) {
			r.t.Fatalf("instead of %d came %s, %v", number, payload, err)
		}
	}
}

// wantsClose reads up to the close frame, which has to be of a code, and on to
// the end of the connection, which comes although nothing is answered.
func (r *raw) wantsClose(code websocket.StatusCode) {
	r.t.Helper()
	if r.wantsCloseFrame(code) {
		r.wantsCut()
	}
}

// wantsCloseFrame reads up to the close frame, which has to be of a code.
func (r *raw) wantsCloseFrame(code websocket.StatusCode) bool {
	r.t.Helper()
	opcode, payload, err := r.next()
	for err == nil && opcode != opClose {
		opcode, payload, err = r.next()
	}
	if err != nil || len(payload) < 2 || websocket.StatusCode(binary.BigEndian.Uint16(payload)) != code {
		r.t.Errorf("instead of close %d came %x, %v", code, payload, err)
		return false
	}
	return true
}

// wantsCut reads to the end of the connection.
func (r *raw) wantsCut() {
	r.t.Helper()
	var timeout net.Error
	if _, err := io.Copy(io.Discard, r.in); errors.As(err, &timeout) && timeout.Timeout() {
		r.t.Error("the connection is not cut")
	}
}
