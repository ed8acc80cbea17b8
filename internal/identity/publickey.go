package identity

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// PublicKey is the one key of an identity provider, read from a file. What a
// token says about keys does not matter.
type PublicKey struct{ key key }

// ReadPublicKey reads a PEM file with one public key: RSA of 2,048 bits or more
// (RS256), ECDSA on P-256 (ES256) or Ed25519 (EdDSA).
func ReadPublicKey(path string) (PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return PublicKey{}, err
	}
	public, err := parsePublicKey(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s: %w", path, err)
	}
	found, err := newKey(public)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return PublicKey{found}, nil
}

func parsePublicKey(text []byte) (any, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM, such as -----BEGIN PUBLIC KEY-----")
	}
	if another, _ := pem.Decode(rest); another != nil {
		return nil, errors.New("more than one key")
	}
	switch {
	case block.Type == "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		return public, unreadable(err)
	case block.Type == "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		return public, unreadable(err)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("a private key, which belongs to the identity provider alone: give its public one")
	default:
		return nil, fmt.Errorf("a %s, not a PUBLIC KEY", block.Type)
	}
}

func unreadable(err error) error {
	if err != nil {
		return fmt.Errorf("read the public key: %w", err)
	}
	return nil
}

func (p PublicKey) find(context.Context, map[string]any) (key, bool) {
	return p.key, p.key.material != nil
}

func (p PublicKey) algorithms() []string { return []string{p.key.algorithm} }

func (p PublicKey) generation() int64 { return 0 }
