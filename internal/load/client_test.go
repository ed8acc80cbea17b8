//go:build linux

package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// workers make calls at the same time, each on a connection of its own.
const workers = 16

// client is one connection that makes one call after the other.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	body   []byte
}

func (s *server) dial(ctx context.Context) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, fmt.Errorf("dial the server: %w", err)
	}
	return &client{conn: conn, reader: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// do makes a call and checks that it succeeds. What it answers is good until the next.
func (c *client) do(request string) ([]byte, error) {
	if _, err := io.WriteString(c.conn, request); err != nil {
		return nil, fmt.Errorf("write a call: %w", err)
	}
	status, length, err := c.header()
	if err != nil {
		return nil, err
	}
	if err := c.read(length); err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	if status != "200" {
		return nil, fmt.Errorf("answered %s: %s", status, c.body)
	}
	return c.body, nil
}

// chunked is the length of a body that comes in chunks (RFC 9112, 7.1).
const chunked = -1

// read reads a body.
func (c *client) read(length int) (err error) {
	c.body = c.body[:0]
	if length != chunked {
		return c.readMore(length)
	}
	for size := int64(1); size > 0; {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if size, err = strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32); err != nil {
			return err
		}
		if err := c.readMore(int(size) + len("\r\n")); err != nil {
			return err
		}
		c.body = c.body[:len(c.body)-len("\r\n")]
	}
	return nil
}

func (c *client) readMore(n int) error {
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.reader, c.body[len(c.body)-n:])
	return err
}

func (c *client) header() (status string, length int, err error) {
	length = chunked
	for first := true; ; first = false {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return "", 0, fmt.Errorf("read an answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case first && len(line) > 12:
			status = string(line[9:12])
		case len(line) == 0:
			return status, length, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", 0, fmt.Errorf("read an answer's length: %w", err)
			}
		}
	}
}

// run makes n calls of a server with all workers and answers how long they took.
func (s *server) run(b *testing.B, n int, request func(i int) string) time.Duration {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range min(workers, n) {
		all.Go(func() {
			c, err := s.dial(b.Context())
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = c.conn.Close() }()
			for i := next.Add(1); i <= int64(n) && err == nil; i = next.Add(1) {
				_, err = c.do(request(int(i)))
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return time.Since(begun)
}
