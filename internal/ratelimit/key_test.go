package ratelimit

import (
	"net/netip"
	"testing"

	"bookings/internal/booking"
)

func TestOneNetworkIsOneKey(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b string
		same bool
	}{
		"one /64":                          {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		"two /64":                          {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"two IPv4 addresses":               {"203.0.113.7", "203.0.113.8", false},
		"IPv4 written as IPv6":             {"203.0.113.7", "::ffff:203.0.113.7", true},
		"two IPv4 addresses, as IPv6":      {"::ffff:203.0.113.7", "::ffff:203.0.113.8", false},
		"a zone":                           {"fe80::1%eth0", "fe80::1", true},
		"IPv4 and an IPv6 that ends alike": {"203.0.113.7", "64:ff9b::203.0.113.7", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := AddressKey(netip.MustParseAddr(test.a)), AddressKey(netip.MustParseAddr(test.b))
			if (a == b) != test.same {
				t.Fatalf("keys %v and %v: same must be %v", a, b, test.same)
			}
		})
	}
}

func TestInvalidAddressesShareOneKey(t *testing.T) {
	t.Parallel()
	var none, unparsed netip.Addr
	if AddressKey(none) != AddressKey(unparsed) {
		t.Fatal("the zero address has several keys")
	}
}

func TestBothRolesOfAUserAreOneKey(t *testing.T) {
	t.Parallel()
	customer := UserKey(booking.Actor{Role: booking.RoleCustomer, ID: "u"})
	provider := UserKey(booking.Actor{Role: booking.RoleProvider, ID: "u"})
	if customer != provider {
		t.Fatal("a second role is a second limit")
	}
}

func TestAUserNamedLikeAnAddressIsAnotherKey(t *testing.T) {
	t.Parallel()
	if UserKey(booking.Actor{ID: "203.0.113.7"}) == AddressKey(netip.MustParseAddr("203.0.113.7")) {
		t.Fatal("a user and an address share a key")
	}
}
