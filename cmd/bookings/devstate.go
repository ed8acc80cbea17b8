package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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
	Secret        string    `json:"secret"`
	CustomerToken string    `json:"customerToken"`
	ProviderToken string    `json:"providerToken"`
	Expires       time.Time `json:"expires"`
}

// loadDevState reads the state of a folder, or makes it.
func loadDevState(folder string, now time.Time) (devState, error) {
	path := filepath.Join(folder, "dev.json")
	var state devState
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		state.Secret = rand.Text() + rand.Text()
	case err != nil:
		return state, fmt.Errorf("read the kept secret: %w", err)
	default:
		if err := json.Unmarshal(text, &state); err != nil {
			return state, fmt.Errorf("read the kept secret: %s is broken; delete it for a new one: %w", path, err)
		}
	}
	if now.Add(devTokenRenewal).Before(state.Expires) {
		return state, nil
	}
	if err := state.sign(now); err != nil {
		return state, err
	}
	return state, state.save(folder, path)
}

func (s *devState) sign(now time.Time) (err error) {
	s.Expires = now.Add(devTokenTTL)
	if s.CustomerToken, err = identity.Sign([]byte(s.Secret), devCustomer, "", "", now, devTokenTTL); err != nil {
		return err
	}
	s.ProviderToken, err = identity.Sign([]byte(s.Secret), devProvider, "", "", now, devTokenTTL)
	return err
}

func (s *devState) save(folder, path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the secret: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("keep the secret: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("keep the secret: %w", err)
	}
	return nil
}
