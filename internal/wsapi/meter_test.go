package wsapi

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// However the bytes are cut into reads, the same frames are found in them.
func TestFramesAreFollowedThroughAnyReads(t *testing.T) {
	t.Parallel()
	long := append([]byte{fin | opText, bitMasked | 127, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, make([]byte, 1<<16)...)
	sent := bytes.Join([][]byte{
		masked(fin|opText, "{}"), masked(fin|opPing, ""), masked(opText, "a"), masked(fin|opPing, "a"),
		masked(opContinuation, ""), masked(fin|opContinuation, strings.Repeat("a", 300)), long,
		{fin | opText, 2, 'a', 'a'},
		masked(fin|opText, strings.Repeat("a", 126)),
	}, nil)
	const count, whole = 9, 6
	for range 200 {
		var f frames
		seen, bound := 0, 1+rand.IntN(400)
		for rest := sent; len(rest) > 0; {
			part := rest[:min(len(rest), 1+rand.IntN(bound))]
			if n := f.follow(part, func() bool { seen++; return true }); n != len(part) {
				t.Fatalf("stopped after %d of %d bytes", n, len(part))
			}
			rest = rest[len(part):]
		}
		if seen != count || f.whole != whole || f.within() || f.closed {
			t.Fatalf("%d frames, %d whole: %+v", seen, f.whole, f)
		}
	}
}

func TestNothingIsFollowedPastWhatIsAllowed(t *testing.T) {
	t.Parallel()
	frame := masked(opContinuation, "ab")
	allowed := 3
	allow := func() bool { allowed--; return allowed >= 0 }
	var f frames
	if n := f.follow(bytes.Repeat(frame, 10), allow); n != 3*len(frame) {
		t.Errorf("stopped after %d bytes, not before the fourth frame", n)
	}
	if n := f.follow(masked(fin|opClose, ""), allow); n != 6 || !f.closed {
		t.Error("a goodbye is not allowed")
	}
}
