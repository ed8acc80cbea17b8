package app

import (
	"fmt"
	"time"

	"bookings/internal/identity"
)

// The settings of keys, of which a server has one.
const (
	settingSecret    = "JWT_SECRET"
	settingPublicKey = "JWT_PUBLIC_KEY_FILE"
	settingJWKS      = "JWT_JWKS_URL"
)

// checkKeys finds what is wrong with the keys of tokens. Two sources would be two
// ways in, of which one is likely forgotten.
func (s Settings) checkKeys() []error {
	var faults []error
	given := ""
	fault := func(name, value string, err error) {
		switch {
		case value == "":
			return
		case given != "":
			faults = append(faults, fmt.Errorf("%s: contradicts %s: set one of them", name, given))
		default:
			given = name
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	fault(settingSecret, s.JWTSecret, checkSecret(s.JWTSecret))
	fault(settingPublicKey, s.JWTPublicKey, checkPublicKey(s.JWTPublicKey))
	fault(settingJWKS, s.JWKSURL, identity.CheckJWKSURL(s.JWKSURL))
	if given == "" {
		faults = append(faults, fmt.Errorf("%s: is required, or else %s or %s", settingSecret, settingPublicKey, settingJWKS))
	}
	return faults
}

func checkSecret(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("must have %d bytes or more", minSecret)
	}
	return nil
}

func checkPublicKey(path string) error {
	if path == "" {
		return nil
	}
	_, err := identity.ReadPublicKey(path)
	return err
}

// openKeys finds the keys that tokens are signed with. It fetches none yet.
func (s *Server) openKeys() (err error) {
	switch {
	case s.settings.JWKSURL != "":
		s.keys = identity.NewJWKS(s.settings.JWKSURL, time.Now, s.log)
	case s.settings.JWTPublicKey != "":
		if s.keys, err = identity.ReadPublicKey(s.settings.JWTPublicKey); err != nil {
			return fmt.Errorf("read %s: %w", settingPublicKey, err)
		}
	default:
		s.keys = identity.Secret(s.settings.JWTSecret)
	}
	return nil
}

// jwks is nil where the keys are not fetched.
func (s *Server) jwks() *identity.JWKS {
	fetched, _ := s.keys.(*identity.JWKS)
	return fetched
}
