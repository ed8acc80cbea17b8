package ratelimit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddr is the address from which a request came: its peer, or, where the
// peer is one of the trusted proxies, whom that proxy names in X-Forwarded-For.
//
// Each proxy appends the peer that it saw, so the header is read from its end
// and believed only as far as trusted proxies wrote it: the first address that
// is not trusted is the client, and everything before it may be made up. An
// element that is no address ends the walk at the last good one. When all are
// trusted, the first is the client.
//
// remoteAddr is that of http.Request. The answer is the zero Addr where it
// holds no address, as on a Unix socket.
func ClientAddr(remoteAddr string, header http.Header, trusted []netip.Prefix) netip.Addr {
	client, _ := parseAddr(remoteAddr)
	// Several headers are one list (RFC 9110 section 5.3).
	hops := strings.Split(strings.Join(header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !isTrusted(client, trusted) {
			break
		}
		addr, ok := parseAddr(strings.Trim(hop, " \t"))
		if !ok {
			break
		}
		client = addr
	}
	return client
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// parseAddr reads an address with or without a port, which some proxies add.
func parseAddr(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return canonical(withPort.Addr()), true
	}
	addr, err := netip.ParseAddr(s)
	return canonical(addr), err == nil
}
