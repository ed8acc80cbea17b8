package bookingsvc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

// position is a booking's place in a list: after it goes the next page. A place
// stays right while bookings are made before it, where an offset would repeat
// some. The id tells apart what starts together.
type position struct {
	Start time.Time `json:"s"`
	ID    uuid.UUID `json:"i"`
}

func (p position) token(fingerprint string) string { return newToken(p, fingerprint) }

// pageToken is what a page token holds (AIP-158). It carries no authority: the
// caller's own filter is applied whatever it says, so it need not be signed.
type pageToken[P any] struct {
	Fingerprint string `json:"f"`
	Position    P      `json:"p"`
}

func newToken[P any](p P, fingerprint string) string {
	text, err := json.Marshal(pageToken[P]{Fingerprint: fingerprint, Position: p})
	if err != nil {
		panic(err) // positions are times, ids and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// parseToken fails with PAGE_TOKEN_INVALID for a token that this list of this
// caller did not give out.
func parseToken[P any](token, fingerprint string) (P, error) {
	var parsed pageToken[P]
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &parsed)
	}
	if err != nil || parsed.Fingerprint != fingerprint {
		invalid := booking.Invalid("page_token", "is not of this list: begin again without it")
		invalid.Reason = booking.ReasonPageTokenInvalid
		return parsed.Position, invalid
	}
	return parsed.Position, nil
}

// fingerprint stands for the arguments of a list, each quoted so that no two
// run together. It need not resist anybody: see pageToken.
func fingerprint(arguments ...string) string {
	hash := sha256.New()
	for _, argument := range arguments {
		hash.Write([]byte(strconv.Quote(argument)))
	}
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:12])
}
