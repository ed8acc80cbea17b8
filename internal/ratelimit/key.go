package ratelimit

import (
	"net/netip"

	"bookings/internal/booking"
)

type kind int

const (
	address kind = iota
	user
)

// Key says whom a call counts against. It is comparable.
type Key struct {
	kind kind
	name string
}

// String is the key as others store it.
func (k Key) String() string {
	if k.kind == user {
		return "user:" + k.name
	}
	return "address:" + k.name
}

// UserKey is the key of a person, in whichever role: somebody with two tokens
// has one limit. Internal services are not limited, so nobody asks for theirs.
func UserKey(actor booking.Actor) Key { return Key{user, actor.ID} }

// ipv6Network is how many leading bits of an IPv6 address make one caller: a
// host is given a /64 and picks the other 64 bits itself, anew for every call
// if it likes (RFC 4291 section 2.5.1, RFC 8981).
const ipv6Network = 64

// AddressKey is the key of an address where no user is known: an IPv4 address,
// also one written as an IPv6 address, or the /64 network of an IPv6 address,
// without its zone. All invalid addresses share one key.
func AddressKey(addr netip.Addr) Key {
	addr = canonical(addr)
	if !addr.Is6() {
		return Key{address, addr.String()}
	}
	// Masks everything behind the network; cannot fail for an IPv6 address.
	network := netip.PrefixFrom(addr, ipv6Network).Masked()
	return Key{address, network.String()}
}

// canonical gives an address its one form.
func canonical(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
