package bookingsvc

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

// FuzzPageToken makes up tokens: one that is read is of this list, and says its
// place again when it is spelled anew.
func FuzzPageToken(f *testing.F) {
	const list = "a list"
	f.Add(position{Start: time.Date(2027, 6, 1, 9, 0, 0, 123456000, time.UTC), ID: uuid.Max}.token(list))
	f.Add(position{}.token("another list"))
	for _, text := range []string{"", "null", "{}", `{"f":"a list","p":7}`, `{"f":"a list","p":{"s":"9999-12-31T23:59:59+23:59","i":""}}`} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	f.Fuzz(func(t *testing.T, token string) {
		place, err := parseToken[position](token, list)
		if err != nil {
			if !booking.IsReason(err, booking.ReasonPageTokenInvalid) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again, err := parseToken[position](place.token(list), list)
		if err != nil || !again.Start.Equal(place.Start) || again.ID != place.ID {
			t.Fatalf("%+v comes back as %+v, %v", place, again, err)
		}
		if _, err := parseToken[position](token, "another list"); err == nil {
			t.Fatalf("%q is of two lists", token)
		}
	})
}
