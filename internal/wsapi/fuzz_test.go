package wsapi

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

// FuzzAfter makes up queries of /ws: what is read is a number and perhaps an id,
// each given once, and nothing else is passed over.
func FuzzAfter(f *testing.F) {
	for _, seed := range []string{
		"", "after=0", "after=0000000000000000007&after_id=0190c2a4-7000-7000-8000-000000000000", "after=1&after=1", "after=-1", "after_id=",
		"after=9223372036854775808", "a;b", "after=%zz", "token=x", "after=1&after_id={0190c2a4-7000-7000-8000-000000000000}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		after, err := parseAfter(&http.Request{URL: &url.URL{RawQuery: query}})
		if err != nil {
			if !booking.IsReason(err, booking.ReasonValidationFailed) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || len(values["after"]) > 1 || len(values["after_id"]) > 1 || after == nil && len(values) > 0 {
			t.Fatalf("%q is read as %v", query, after)
		}
		if after == nil {
			return
		}
		given := strings.TrimLeft(values.Get("after"), "0")
		if after.Sequence < 0 || strings.Trim(given, "0123456789") != "" || given != strings.TrimPrefix(jsonOf(after.Sequence), "0") ||
			!strings.EqualFold(after.ID, values.Get("after_id")) || after.ID != "" && uuid.Validate(after.ID) != nil {
			t.Fatalf("%q is read as %+v", query, after)
		}
	})
}

// FuzzClientFrame makes up what clients say: what is understood means the same
// when it is said again.
func FuzzClientFrame(f *testing.F) {
	for _, seed := range []string{`{"type":"ping"}`, `{"type":"authenticate","token":"a.b.c"}`, `{"type":"x"}`, `[]`, `null`, ``, `{"type":"ping"} {}`, `{"TYPE":"ping"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		frame, err := parseFrame(message)
		if err != nil {
			if !booking.IsReason(err, booking.ReasonValidationFailed) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		var object map[string]any
		if json.Unmarshal(message, &object) != nil || object == nil {
			t.Fatalf("%q is read as %+v", message, frame)
		}
		if again, err := parseFrame([]byte(jsonOf(frame))); err != nil || again != frame {
			t.Fatalf("%+v comes back as %+v, %v", frame, again, err)
		}
	})
}

func jsonOf(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

// FuzzFrames makes up the bytes of a client: however they are cut into reads, the
// meter finds the frames that whoever has all of them finds.
func FuzzFrames(f *testing.F) {
	f.Add(masked(fin|opText, "{}"), 1)
	f.Add(append(masked(opText, "a"), masked(fin|opContinuation, strings.Repeat("b", 300))...), 7)
	f.Add([]byte{fin | opText, bitMasked | 127, 0, 0, 0, 0, 0, 1, 0, 0}, 3)
	f.Add([]byte{fin | opClose, 0, fin | opPing, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 2)
	f.Fuzz(func(t *testing.T, sent []byte, step int) {
		step = max(1, min(step, len(sent)))
		var follower frames
		seen := 0
		for rest := sent; len(rest) > 0; rest = rest[min(step, len(rest)):] {
			part := rest[:min(step, len(rest))]
			if n := follower.follow(part, func() bool { seen++; return true }); n != len(part) {
				t.Fatalf("stopped after %d of %d bytes", n, len(part))
			}
		}
		if want := countFrames(sent); seen != want {
			t.Fatalf("%d frames, and there are %d", seen, want)
		}
	})
}

// countFrames counts those that begin in some bytes and are no goodbye (RFC 6455,
// section 5.2).
func countFrames(sent []byte) (count int) {
	for len(sent) > 0 {
		if sent[0]&maskOpcode != opClose {
			count++
		}
		header := make([]byte, maxHeader)
		copy(header, sent)
		size, length := 2, uint64(header[1]&maskLength)
		switch length {
		case 126:
			size, length = 4, uint64(binary.BigEndian.Uint16(header[2:]))
		case 127:
			size, length = 10, binary.BigEndian.Uint64(header[2:])
		}
		if header[1]&bitMasked != 0 {
			size += 4
		}
		if len(sent) < size || uint64(len(sent)-size) < length {
			return count
		}
		sent = sent[size+int(length):]
	}
	return count
}
