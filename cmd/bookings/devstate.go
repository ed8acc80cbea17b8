package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"bookings/internal/app"
	"bookings/internal/booking"
	"bookings/internal/identity"
)

const (
	devTokenTTL = 90 * 24 * time.Hour
	// devTokenRenewal is how long before its end a kept token is replaced.
	devTokenRenewal = 24 * time.Hour
)

// The people of `bookings dev`.
var (
	devCustomer = booking.Actor{Role: booking.RoleCustomer, ID: "alice"}
	devProvider = booking.Actor{Role: booking.RoleProvider, ID: "bob"}
)

// devState is what dev keeps for its next start, besides the data.
type devState struct {
	// Secret signs tokens where the environment names none.
	Secret string `json:"secret"`
	// InternalToken is that of internal services where the environment names none.
	InternalToken string `json:"internalToken"`
	CustomerToken string `json:"customerToken"`
	ProviderToken string `json:"providerToken"`
}

var errNoSecret = errors.New("there is no secret in it")

// loadDevState reads the state of a folder; where there is none it makes new
// secrets.
func loadDevState(folder *os.Root) (state devState, err error) {
	text, err := readOwn(folder, stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return devState{Secret: newSecret(), InternalToken: newSecret()}, nil
	}
	path := filepath.Join(folder.Name(), stateFile)
	if err != nil {
		return state, fmt.Errorf("%s cannot be trusted: %w", path, err)
	}
	err = json.Unmarshal(text, &state)
	if err == nil && state.Secret == "" {
		err = errNoSecret
	}
	if err != nil {
		return state, fmt.Errorf("%s is broken; delete it for a new secret: %w", path, err)
	}
	if state.InternalToken == "" { // versions before had none
		state.InternalToken = newSecret()
	}
	return state, nil
}

func newSecret() string { return rand.Text() + rand.Text() }

// renewTokens signs the tokens with what the server verifies with, unless it
// takes those that are kept, for a while at least, and keeps all.
func (s *devState) renewTokens(ctx context.Context, folder *os.Root, settings app.Settings, now time.Time) error {
	if !s.accepted(ctx, settings, now.Add(devTokenRenewal)) {
		if err := s.sign(settings, now); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the tokens: %w", err)
	}
	return replaceOwn(folder, stateFile, text)
}

func (s *devState) sign(settings app.Settings, now time.Time) (err error) {
	sign := func(who booking.Actor) (string, error) {
		return identity.Sign([]byte(settings.JWTSecret), who, settings.JWTIssuer, settings.JWTAudience, now, devTokenTTL)
	}
	if s.CustomerToken, err = sign(devCustomer); err != nil {
		return err
	}
	s.ProviderToken, err = sign(devProvider)
	return err
}

// accepted tells whether a server with these settings would take the tokens.
func (s *devState) accepted(ctx context.Context, settings app.Settings, at time.Time) bool {
	verifier := identity.New(identity.Options{
		Keys: identity.Secret(settings.JWTSecret), Issuer: settings.JWTIssuer, Audience: settings.JWTAudience,
		Now: func() time.Time { return at },
	})
	for token, who := range map[string]booking.Actor{s.CustomerToken: devCustomer, s.ProviderToken: devProvider} {
		if caller, err := verifier.VerifyBearer(ctx, token); err != nil || caller.Actor != who {
			return false
		}
	}
	return true
}
