package identity

import (
	"net/http"
	"strings"
)

// Credentials are what a request carries, unjudged: the values of the two
// headers, nil for one that is absent. They are secrets and never logged.
type Credentials struct {
	Authorization []string
	InternalToken []string
	// Certificate is the name of an internal service in the client certificate that
	// the connection was made with; empty where there is none. It has been verified.
	Certificate string
}

// FromHeader picks the credentials out of a request's headers.
func FromHeader(header http.Header) Credentials {
	return Credentials{
		Authorization: header.Values("Authorization"),
		InternalToken: header.Values("X-Internal-Token"),
	}
}

// bearer returns the token of the one Authorization header. The scheme's case
// does not matter and one or more spaces follow it (RFC 9110 section 11, RFC
// 6750 section 2.1). Two headers are refused: a proxy may have judged the other
// one.
func (c Credentials) bearer() (token string, ok bool) {
	if len(c.Authorization) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(c.Authorization[0], " ")
	return strings.TrimLeft(token, " "), ok && strings.EqualFold(scheme, "Bearer")
}
