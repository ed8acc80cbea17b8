package ratelimit

import (
	"net/http"
	"net/netip"
	"testing"
)

// FuzzClientAddr makes up X-Forwarded-For: who is no trusted proxy cannot be
// anybody else, whatever is written before the element that names him.
func FuzzClientAddr(f *testing.F) {
	for _, seed := range [][3]string{
		{"10.0.0.1:80", "203.0.113.7", "198.51.100.1"},
		{"203.0.113.7:80", "10.0.0.2", "x"},
		{"[::1]:80", "2001:db8::1, 10.0.0.2", ","},
		{"10.0.0.1:80", "10.0.0.2,[2001:db8::1]:443", "10.0.0.3"},
		{"10.0.0.1:80", "unknown, 10.0.0.2", ""},
		{"@", "fe80::1%eth0", "\t"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	f.Fuzz(func(t *testing.T, peer, forwarded, forged string) {
		header := http.Header{"X-Forwarded-For": {forwarded}}
		alone := ClientAddr(peer, nil, trusted)
		if got := ClientAddr(peer, header, nil); got != alone {
			t.Fatalf("without trusted proxies %q with %q is %v", peer, forwarded, got)
		}
		got := ClientAddr(peer, header, trusted)
		if !isTrusted(alone, trusted) && got != alone {
			t.Fatalf("%q, who is no proxy, is %v by %q", peer, got, forwarded)
		}
		if isTrusted(got, trusted) {
			return // more may stand before it
		}
		for _, header := range []http.Header{
			{"X-Forwarded-For": {forged + "," + forwarded}}, {"X-Forwarded-For": {forged, forwarded}},
		} {
			if other := ClientAddr(peer, header, trusted); other != got {
				t.Fatalf("%v becomes %v by %q", got, other, header)
			}
		}
	})
}
