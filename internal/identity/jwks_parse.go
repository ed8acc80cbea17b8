package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"
)

// keySet is a JWK Set, read.
type keySet struct {
	// keys are those that can verify tokens, by kid.
	keys map[string]key
	// unused says which others there are, and why, for the log.
	unused string
}

// parseSet reads a JWK Set. A key that is of no use to us is passed over: a
// provider publishes others for other purposes. A set without one that is of use
// is an error, so that a provider's mistake does not lock everybody out.
func parseSet(body []byte) (keySet, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return keySet{}, errors.New("the key server answers no JWK Set")
	}
	set, unused := keySet{keys: map[string]key{}}, []string{}
	ambiguous := map[string]bool{}
	for n, text := range raw.Keys {
		kid, found, err := parseKey(text)
		known, twice := set.keys[kid]
		switch {
		case err != nil:
			unused = append(unused, fmt.Sprintf("%q (number %d): %s", kid, n+1, err))
		case twice && !reflect.DeepEqual(known, found):
			ambiguous[kid] = true
		default:
			set.keys[kid] = found
		}
	}
	for kid := range ambiguous { // a name of two keys names none
		delete(set.keys, kid)
		unused = append(unused, fmt.Sprintf("%q: the name of different keys", kid))
	}
	slices.Sort(unused)
	set.unused = strings.Join(unused, "; ")
	if len(set.keys) == 0 {
		return keySet{}, fmt.Errorf("the key server has no key that can be used: %s", set.unused)
	}
	return set, nil
}

// parseKey reads a JWK, and fails unless it is there to verify signatures with
// (RFC 7517, section 4). Certificates beside it do not matter.
func parseKey(text []byte) (kid string, found key, err error) {
	var jwk jwkset.JWKMarshal
	if json.Unmarshal(text, &jwk) != nil {
		return "", key{}, errors.New("no JWK")
	}
	jwk.X5C, jwk.X5T, jwk.X5TS256, jwk.X5U = nil, "", "", ""
	switch {
	case jwk.KID == "":
		return "", key{}, errors.New("without a kid, no token can name it")
	case jwk.USE != "" && jwk.USE != jwkset.UseSig:
		return jwk.KID, key{}, errors.New("not for signatures")
	case len(jwk.KEYOPS) > 0 && !slices.Contains(jwk.KEYOPS, jwkset.KeyOpsVerify):
		return jwk.KID, key{}, errors.New("not for verifying")
	case jwk.D != "":
		return jwk.KID, key{}, errors.New("its private part is published")
	}
	parsed, err := jwkset.NewJWKFromMarshal(jwk, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return jwk.KID, key{}, errors.New("no public key that can be read")
	}
	found, err = newKey(parsed.Key())
	if err == nil && jwk.ALG != "" && jwk.ALG.String() != found.algorithm {
		err = fmt.Errorf("for %s, not %s", jwk.ALG, found.algorithm)
	}
	return jwk.KID, found, err
}
