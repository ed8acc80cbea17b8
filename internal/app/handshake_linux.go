package app

import (
	"fmt"
	"net"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ignoreHandshakes makes the kernel overlook who wants to connect, as if the
// packet were lost: they ask again in a second, and are refused then. Closing a
// listener resets the connections that it has not accepted yet, though their
// peers may have sent a request; this way, there comes to be none.
func ignoreHandshakes(listener *net.TCPListener) error {
	const (
		flags    = 13    // where a TCP header has its flags
		syn, ack = 2, 16 // a first packet has SYN without ACK
	)
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: flags, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: syn | ack},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: syn, SkipFalse: 1},
		bpf.RetConstant{Val: 0},       // nothing of the packet is kept
		bpf.RetConstant{Val: 1 << 16}, // all of it
	})
	if err != nil {
		return fmt.Errorf("assemble a socket filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(program))
	for n, step := range program {
		filter[n] = unix.SockFilter{Code: step.Op, Jt: step.Jt, Jf: step.Jf, K: step.K}
	}
	return attach(listener, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

func attach(listener *net.TCPListener, filter *unix.SockFprog) error {
	raw, err := listener.SyscallConn()
	if err != nil {
		return fmt.Errorf("reach a listener: %w", err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, filter)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("attach a socket filter: %w", err)
	}
	return nil
}
