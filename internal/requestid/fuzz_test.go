package requestid_test

import (
	"strings"
	"testing"

	"bookings/internal/requestid"
)

// FuzzRequestID makes up ids: what is in the log is harmless, and is what was sent
// wherever that was.
func FuzzRequestID(f *testing.F) {
	for _, seed := range []string{"", "a", "req-1_2.3", "a\n", "a\x00", "ä", strings.Repeat("Z", 65)} {
		f.Add(seed)
	}
	const harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	isHarmless := func(id string) bool { return id != "" && len(id) <= 64 && strings.Trim(id, harmless) == "" }
	f.Fuzz(func(t *testing.T, given string) {
		got := requestid.Choose(given)
		if !isHarmless(got) || isHarmless(given) != (got == given) {
			t.Errorf("%q became %q", given, got)
		}
	})
}
