package rpcapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/middleware"
)

// mintedTTL is how long a token is good that was made for the asking.
const mintedTTL = 15 * time.Minute

// Minter makes tokens for anybody who asks, whoever they say they are. It is for
// `bookings dev`, and whoever mounts it says who may ask.
type Minter struct {
	apierror.Responder
	Secret           []byte
	Issuer, Audience string
	Now              func() time.Time
}

// minted is its answer.
type minted struct {
	Token      string    `json:"token"`
	ExpireTime time.Time `json:"expireTime"`
}

// ServeHTTP implements http.Handler, with the errors of REST.
func (m Minter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isJSON(r) || !isReadable(r) {
		refuseUnder(m.Responder, w, r, http.StatusUnsupportedMediaType, errMedia)
		return
	}
	answer, err := m.mint(r)
	switch {
	case booking.IsReason(err, apierror.ReasonTooLarge):
		refuseUnder(m.Responder, w, r, http.StatusRequestEntityTooLarge, err)
	case err != nil:
		m.WriteStatus(w, r, err)
	default:
		middleware.From(r.Context()).MarkAnswered("ok")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func (m Minter) mint(r *http.Request) (minted, error) {
	body, err := readBody(r)
	if err != nil {
		return minted{}, err
	}
	actor, err := decodeActor(body)
	if err != nil {
		return minted{}, err
	}
	issued := m.Now().UTC().Truncate(time.Second)
	token, err := identity.Sign(m.Secret, actor, m.Issuer, m.Audience, issued, mintedTTL)
	return minted{Token: token, ExpireTime: issued.Add(mintedTTL)}, err
}

// decodeActor takes both names of a field, and no other, as decodeJSON does.
func decodeActor(body []byte) (actor booking.Actor, err error) {
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil || object == nil { // nil is null
		return actor, fault("body", "is not a JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		text, ok := object[name].(string)
		field := name
		switch name {
		case "role":
			actor.Role = booking.Role(text)
		case "userId", "user_id":
			field, actor.ID = "user_id", text
		default:
			return actor, fault(name, "is not a field of this request")
		}
		if !ok {
			return actor, fault(field, wrongValue)
		}
	}
	return actor, asError(identity.Faults(actor))
}
