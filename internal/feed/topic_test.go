package feed

import (
	"slices"
	"testing"

	"bookings/internal/booking"
)

// What a reader finds after a cursor, for what a topic has heard.
func TestTopicKnowsWhatItHasHeard(t *testing.T) {
	t.Parallel()
	const learned = -1 // a head without its entry: the number before it
	tests := map[string]struct {
		heard []int64
		// next are the numbers after which the ring has the next one.
		next  []int64
		head  int64
		jumps int
	}{
		"in order":               {heard: []int64{1, 2, 3}, next: []int64{0, 1, 2}, head: 3},
		"overtaken":              {heard: []int64{1, 3, 2}, next: []int64{0, 1, 2}, head: 3},
		"missing":                {heard: []int64{1, 3}, next: []int64{0, 2}, head: 3},
		"again":                  {heard: []int64{1, 2, 2, 1, 3}, next: []int64{0, 1, 2}, head: 3},
		"a small gap":            {heard: []int64{1, 2 + maxHoles}, next: []int64{0, 1 + maxHoles}, head: 2 + maxHoles},
		"a wide gap":             {heard: []int64{1, 3 + maxHoles}, next: []int64{2 + maxHoles}, head: 3 + maxHoles, jumps: 1},
		"late for the ring":      {heard: []int64{1, 3 + maxHoles, 2}, next: []int64{2 + maxHoles}, head: 3 + maxHoles, jumps: 1},
		"a head, then its entry": {heard: []int64{1, 2, learned, 2}, next: []int64{0, 1}, head: 2},
		"a head far ahead":       {heard: []int64{1, 1000, learned}, next: nil, head: 1000, jumps: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := newTopic(Key{Role: booking.RoleProvider, User: "u"}, 0)
			for i, number := range test.heard {
				switch {
				case number == learned:
				case i+1 < len(test.heard) && test.heard[i+1] == learned:
					topic.learn(0, number)
				default:
					topic.hear(Entry{Sequence: number})
				}
			}
			var next []int64
			for cursor := range test.head + 1 {
				if seen := topic.after(cursor); seen.next != nil {
					next = append(next, cursor)
					if seen.next.Sequence != cursor+1 {
						t.Errorf("after %d comes %d", cursor, seen.next.Sequence)
					}
				}
			}
			if topic.head != test.head || topic.jumps != test.jumps || !slices.Equal(next, test.next) {
				t.Errorf("head %d, %d jumps, entries after %v", topic.head, topic.jumps, next)
			}
		})
	}
}

func TestTopicKeepsTheNewestEntries(t *testing.T) {
	t.Parallel()
	topic := newTopic(Key{}, 0)
	for number := range int64(5*ringSize) + 7 {
		topic.hear(Entry{Sequence: number + 1})
		if len(topic.ring) > 2*ringSize {
			t.Fatalf("it keeps %d", len(topic.ring))
		}
		oldest := max(0, number+1-ringSize)
		if seen := topic.after(oldest); seen.next == nil || seen.next.Sequence != oldest+1 {
			t.Fatalf("at head %d, the entry after %d is gone", number+1, oldest)
		}
	}
}

func TestSourceNamesOneFeed(t *testing.T) {
	t.Parallel()
	for user, escaped := range map[string]string{
		"alice":          "alice",
		"a/b?c#d%e":      "a%2Fb%3Fc%23d%25e",
		"auth0|5f7c8":    "auth0%7C5f7c8",
		"jürgen müller":  "j%C3%BCrgen%20m%C3%BCller",
		"x@example.com;": "x@example.com%3B",
		"\"<\\>^`{}":     "%22%3C%5C%3E%5E%60%7B%7D",
	} {
		key := Key{Role: booking.RoleCustomer, User: user}
		if source := key.Source(); source != "/bookings/feeds/customer/"+escaped {
			t.Errorf("the source of %q is %q", user, source)
		}
		if back, err := parseSource(key.Source()); back != key || err != nil {
			t.Errorf("%q comes back as %v, %v", user, back, err)
		}
	}
}

func FuzzBroadcast(f *testing.F) {
	wire, err := Entry{Key: Key{Role: booking.RoleCustomer, User: "a/b"}, Sequence: 7, Data: []byte(`{}`)}.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"source":"/bookings/feeds/","sequence":"x","data":1}`))
	f.Fuzz(func(t *testing.T, wire []byte) {
		entry, err := parseEntry(wire)
		if err != nil {
			return
		}
		if back, err := parseSource(entry.Key.Source()); err != nil || back != entry.Key {
			t.Errorf("%v comes back as %v, %v", entry.Key, back, err)
		}
	})
}
