package feed

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestSourceNamesOneFeed(t *testing.T) {
	t.Parallel()
	for user, escaped := range map[string]string{
		"alice":          "alice",
		"a/b?c#d%e":      "a%2Fb%3Fc%23d%25e",
		"auth0|5f7c8":    "auth0%7C5f7c8",
		"jürgen müller":  "j%C3%BCrgen%20m%C3%BCller",
		"x@example.com;": "x@example.com%3B",
		"\"<\\>^`{}":     "%22%3C%5C%3E%5E%60%7B%7D",
		"two\n\nlines 7": "two%0A%0Alines%207",
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

// twoEntries are one event in the feeds of odd users.
func twoEntries() []Entry {
	provider := Entry{
		Key: Key{Role: booking.RoleProvider, User: "a/b 7\n\nc"}, Sequence: 17, ID: "an id", PreviousID: "another", Type: booking.EventCreated,
		BookingID: "a booking", Time: time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC), Data: []byte(`{"note":"a\n\nb"}`),
	}
	customer := provider
	customer.Key, customer.Sequence, customer.PreviousID = Key{Role: booking.RoleCustomer, User: "ä"}, 1<<62, ""
	return []Entry{provider, customer}
}

func broadcastOf(t testing.TB, entries []Entry) string {
	t.Helper()
	message, err := encodeBroadcast(entries)
	if err != nil {
		t.Fatal(err)
	}
	return string(message)
}

func TestABroadcastBringsBothEntriesAsTheyWere(t *testing.T) {
	t.Parallel()
	entries := twoEntries()
	message := broadcastOf(t, entries)
	places, body, err := splitBroadcast(message)
	if err != nil || len(places) != len(entries) {
		t.Fatalf("%v, %v of %s", places, err, message)
	}
	for i, p := range places {
		entry, err := parseEvent(body)
		if err != nil {
			t.Fatal(err)
		}
		entry.Key, entry.Sequence, entry.PreviousID = p.key, p.sequence, p.previousID
		got, _ := entry.JSON()
		want, _ := entries[i].JSON()
		if string(got) != string(want) {
			t.Errorf("%s came as %s", want, got)
		}
	}
}

// Two versions talk to each other while the newer one is rolled out.
func TestABroadcastOfALaterVersionIsUnderstood(t *testing.T) {
	t.Parallel()
	places, body, err := splitBroadcast("/bookings/feeds/later 90 x\n/bookings/feeds/provider/pat 17 0197 more\nsomething else\n\n{}\n\n")
	want := []place{{Key{Role: booking.RoleProvider, User: "pat"}, 17, "0197"}}
	if err != nil || !slices.Equal(places, want) || body != "{}\n\n" {
		t.Errorf("%v, %q, %v", places, body, err)
	}
}

func TestWhatIsNoBroadcastIsRefused(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"", "{}", "/bookings/feeds/provider/pat 17\n{}", "/bookings/feeds/provider/pat\n\n{}",
		"/bookings/feeds/provider/pat x\n\n{}", "/bookings/feeds/provider/pat 99999999999999999999\n\n{}",
	} {
		if places, _, err := splitBroadcast(message); err == nil {
			t.Errorf("%q is read as %v", message, places)
		}
	}
	for _, body := range []string{"", "x", "[]", `{"time":"yesterday"}`, `{"id":7}`} {
		if entry, err := parseEvent(body); err == nil {
			t.Errorf("%q is read as %+v", body, entry)
		}
	}
}

func FuzzBroadcast(f *testing.F) {
	f.Add(broadcastOf(f, twoEntries()))
	f.Add("\n\n{}")
	f.Add("/bookings/feeds/customer/%zz 1\n\n{\"data\":1}")
	f.Fuzz(func(t *testing.T, message string) {
		places, body, err := splitBroadcast(message)
		if err != nil {
			return
		}
		if !strings.HasSuffix(message, body) {
			t.Errorf("%q is no part of %q", body, message)
		}
		for _, p := range places {
			if back, err := parseSource(p.key.Source()); err != nil || back != p.key {
				t.Errorf("%v comes back as %v, %v", p.key, back, err)
			}
		}
		if entry, err := parseEvent(body); err == nil {
			if _, err := entry.JSON(); err != nil {
				t.Errorf("%q cannot be spelled: %v", body, err)
			}
		}
	})
}
