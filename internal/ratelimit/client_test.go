package ratelimit

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestForwardedAddressesCountOnlyFromTrustedProxies(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:feed::/48")}
	tests := map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no header":                       {"10.0.0.1:80", nil, "10.0.0.1"},
		"no proxy":                        {"203.0.113.7:4711", nil, "203.0.113.7"},
		"a stranger's header is ignored":  {"203.0.113.7:4711", []string{"198.51.100.1"}, "203.0.113.7"},
		"a stranger claims a trusted hop": {"203.0.113.7:4711", []string{"198.51.100.1, 10.0.0.2"}, "203.0.113.7"},
		"one proxy":                       {"10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7"},
		"two proxies":                     {"10.0.0.1:80", []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"made up in front":                {"10.0.0.1:80", []string{"198.51.100.1, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"a trusted one made up in front":  {"10.0.0.1:80", []string{"10.9.9.9, 203.0.113.7"}, "203.0.113.7"},
		"several headers are one list":    {"10.0.0.1:80", []string{"198.51.100.1", "203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
		"only trusted ones":               {"10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"garbage last":                    {"10.0.0.1:80", []string{"203.0.113.7, unknown"}, "10.0.0.1"},
		"garbage behind a trusted one":    {"10.0.0.1:80", []string{"203.0.113.7, _hidden, 10.0.0.2"}, "10.0.0.2"},
		"garbage made up in front":        {"10.0.0.1:80", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		"an empty header":                 {"10.0.0.1:80", []string{""}, "10.0.0.1"},
		"an empty element":                {"10.0.0.1:80", []string{"203.0.113.7,"}, "10.0.0.1"},
		"no spaces, and tabs":             {"10.0.0.1:80", []string{"203.0.113.7,\t10.0.0.2"}, "203.0.113.7"},
		"a port":                          {"10.0.0.1:80", []string{"203.0.113.7:5555"}, "203.0.113.7"},
		"IPv6":                            {"[2001:db8:feed::1]:80", []string{"2001:db8:1::7"}, "2001:db8:1::7"},
		"IPv6 with a port":                {"[2001:db8:feed::1]:80", []string{"[2001:db8:1::7]:5555"}, "2001:db8:1::7"},
		"a peer written as IPv6":          {"[::ffff:10.0.0.1]:80", []string{"203.0.113.7"}, "203.0.113.7"},
		"a hop written as IPv6":           {"10.0.0.1:80", []string{"203.0.113.7, ::ffff:10.0.0.2"}, "203.0.113.7"},
		"a peer with a zone":              {"[fe80::1%eth0]:80", []string{"203.0.113.7"}, "fe80::1"},
		"no address, as on a Unix socket": {"@", []string{"203.0.113.7"}, "invalid IP"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"X-Forwarded-For": test.forwarded}
			if got := ClientAddr(test.peer, header, trusted).String(); got != test.want {
				t.Fatalf("ClientAddr = %s, want %s", got, test.want)
			}
		})
	}
}

func TestWithoutTrustedProxiesThePeerIsTheClient(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Forwarded-For": {strings.Repeat("203.0.113.7,", 10_000) + "203.0.113.7"}}
	if got := ClientAddr("10.0.0.1:80", header, nil).String(); got != "10.0.0.1" {
		t.Fatalf("ClientAddr = %s, want the peer", got)
	}
}
