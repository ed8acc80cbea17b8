package cabletest

import (
	"io"
	"net"
	"strings"
	"testing"
)

// serve answers each byte with a name, and hangs up after a question mark.
func serve(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn, name)
		}
	}()
	return listener.Addr().String()
}

func answer(conn net.Conn, name string) {
	defer conn.Close()
	for said := []byte{0}; said[0] != '?'; {
		if _, err := conn.Read(said); err != nil {
			return
		}
		_, _ = io.WriteString(conn, name)
	}
}

func dial(t *testing.T, c *Cable) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask is all that is heard on a new connection.
func ask(t *testing.T, c *Cable) string {
	t.Helper()
	conn := dial(t, c)
	_, _ = conn.Write([]byte("?"))
	heard, _ := io.ReadAll(conn)
	return string(heard)
}

func TestACableLeadsWhereItIsTold(t *testing.T) {
	t.Parallel()
	c := New(t, serve(t, "one"))
	if heard := ask(t, c); heard != "one" {
		t.Errorf("%q answers, not the first server", heard)
	}
	standing := dial(t, c)
	_, _ = standing.Write([]byte("."))
	if _, err := io.ReadFull(standing, make([]byte, len("one"))); err != nil {
		t.Fatal(err)
	}
	c.Lead(serve(t, "two"))
	if heard := ask(t, c); heard != "two" {
		t.Errorf("%q answers, not the second server", heard)
	}
	c.Lead("")
	if heard := ask(t, c); heard != "" {
		t.Errorf("%q answers where nobody should", heard)
	}
	_, _ = standing.Write([]byte("?"))
	if heard, _ := io.ReadAll(standing); len(heard) != 0 {
		t.Errorf("%q came through a cut", heard)
	}
}

func TestADeafenedCableLosesAnswersUntilItIsCut(t *testing.T) {
	t.Parallel()
	server := serve(t, "one")
	c := New(t, server)
	c.Deafen()
	if heard := ask(t, c); heard != "" {
		t.Errorf("%q is heard", heard)
	}
	c.Lead(server)
	if heard := ask(t, c); heard != "one" {
		t.Errorf("after the cut %q is heard", heard)
	}
}
