// Package h2test is a client of HTTP/2 in plain text that says what it is told to,
// frame by frame: for tests of peers that no library would be.
package h2test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// patience is how long a frame is waited for.
const patience = 20 * time.Second

// Conn is a connection. It is used by one goroutine.
type Conn struct {
	net.Conn
	*http2.Framer

	t       testing.TB
	block   bytes.Buffer
	encoder *hpack.Encoder
}

// Dial connects and says hello with these settings.
func Dial(t testing.TB, addr string, settings ...http2.Setting) *Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &Conn{Conn: conn, Framer: http2.NewFramer(conn, conn), t: t}
	c.encoder = hpack.NewEncoder(&c.block)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	c.must(c.WriteSettings(settings...))
	return c
}

// Request sends a request without a body on a stream: a path, and names and
// values of headers.
func (c *Conn) Request(stream uint32, method, path string, headers ...string) {
	c.t.Helper()
	c.Head(stream, true, append([]string{":method", method, ":scheme", "http", ":authority", "server", ":path", path}, headers...)...)
}

// Head sends a block of headers, in frames of 16 KiB. end tells that no body
// follows.
func (c *Conn) Head(stream uint32, end bool, headers ...string) {
	c.t.Helper()
	c.block.Reset()
	for n := 0; n < len(headers); n += 2 {
		// Sensitive, so that a large one is sent in full each time.
		c.must(c.encoder.WriteField(hpack.HeaderField{Name: headers[n], Value: headers[n+1], Sensitive: true}))
	}
	first := c.block.Next(16 << 10)
	c.must(c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: first, EndStream: end, EndHeaders: c.block.Len() == 0,
	}))
	for c.block.Len() > 0 {
		fragment := c.block.Next(16 << 10)
		c.must(c.WriteContinuation(stream, c.block.Len() == 0, fragment))
	}
}

// Await reads until a frame fits, and answers pings and settings on its way. It
// is nil where the connection ends first.
func (c *Conn) Await(fits func(http2.Frame) bool) http2.Frame {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for {
		frame, err := c.ReadFrame()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.t.Fatal("no such frame has come")
		case err != nil:
			return nil
		case fits(frame):
			return frame
		}
		c.answer(frame)
	}
}

func (c *Conn) answer(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = c.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.WritePing(true, f.Data)
		}
	}
}

// Status is the status in the headers that answer a stream; empty where the
// connection ends, or the stream is reset, before.
func (c *Conn) Status(stream uint32) string {
	c.t.Helper()
	found := c.Await(func(f http2.Frame) bool {
		_, headers := f.(*http2.MetaHeadersFrame)
		_, reset := f.(*http2.RSTStreamFrame)
		return f.Header().StreamID == stream && (headers || reset)
	})
	if headers, ok := found.(*http2.MetaHeadersFrame); ok {
		return headers.PseudoValue("status")
	}
	return ""
}

func (c *Conn) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
