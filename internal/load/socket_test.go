//go:build linux

package load

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"bookings/internal/booking"
)

// maxSockets leaves room for their files, in the server and here.
const maxSockets = 5000

// socket is a lean client of /ws: thousands of them, with buffers and checks like a
// real one's, would take more of the processors than the server.
type socket struct{ *client }

// handshake is a request for a socket as bytes; query begins with "?" or is empty.
func handshake(bearer, query string) string {
	request := call(bearer, "GET", "/ws"+query, "")
	return strings.TrimSuffix(request, "\r\n") + "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
}

// open opens a socket and reads its stream.ready.
func (s *server) open(ctx context.Context, handshake string) (*socket, []byte, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	c.reader = bufio.NewReaderSize(c.conn, 4<<10)
	if _, err := io.WriteString(c.conn, handshake); err != nil {
		return nil, nil, fmt.Errorf("write a handshake: %w", err)
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer to a handshake: %w", err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, fmt.Errorf("a handshake was answered with %s", response.Status)
	}
	ready, err := (&socket{c}).next()
	return &socket{c}, ready, err
}

// Frames of RFC 6455, section 5.2.
const (
	frameText = 0x81
	framePing = 0x89
	framePong = 0x8a
	twoBytes  = 126
)

var errEnded = errors.New("the server has ended a socket")

// next is the next text, good until the one after. Pings are answered.
func (s *socket) next() ([]byte, error) {
	for {
		first, payload, err := s.frame()
		switch {
		case err != nil:
			return nil, err
		case first == frameText:
			return payload, nil
		case first != framePing:
			return nil, errEnded
		}
		pong := append([]byte{framePong, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
		if _, err := s.conn.Write(pong); err != nil {
			return nil, fmt.Errorf("answer a ping: %w", err)
		}
	}
}

func (s *socket) frame() (first byte, payload []byte, err error) {
	var header [4]byte
	if _, err = io.ReadFull(s.reader, header[:2]); err != nil {
		return 0, nil, fmt.Errorf("read a frame: %w", err)
	}
	length := int(header[1])
	if length == twoBytes {
		if _, err = io.ReadFull(s.reader, header[2:]); err != nil {
			return 0, nil, fmt.Errorf("read a frame: %w", err)
		}
		length = int(binary.BigEndian.Uint16(header[2:]))
	}
	if payload, err = s.reader.Peek(length); err != nil {
		return 0, nil, fmt.Errorf("read a frame: %w", err)
	}
	_, _ = s.reader.Discard(length)
	return header[0], payload, nil
}

// customer is the user of a socket.
func customer(i int) string { return fmt.Sprintf("customer-%d", i) }

// openAll opens a socket for each handshake, so many at a time, and hands it to use.
func (s *server) openAll(b *testing.B, handshakes []string, atOnce int, use func(i int, opened *socket, ready []byte) error) {
	b.Helper()
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, h := range handshakes {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			opened, ready, err := s.open(b.Context(), h)
			if err == nil {
				err = use(i, opened, ready)
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
}

// handshakes are one for each customer.
func handshakes(n int, query func(i int) string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = handshake(token(booking.RoleCustomer, customer(i)), query(i))
	}
	return all
}
