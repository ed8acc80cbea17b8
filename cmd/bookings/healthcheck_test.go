package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bookings/internal/pgtest"
)

func TestHealthcheckFollowsTheServer(t *testing.T) {
	t.Parallel()
	address := launch(t, environ(pgtest.URL(t)), "serve").address()
	if code, _, stderr := once(t, []string{"ADDR=" + address}, "healthcheck"); code != 0 {
		t.Errorf("exit code for a ready server is %d: %s", code, stderr)
	}
	if code, _, _ := once(t, []string{"ADDR=127.0.0.1:1"}, "healthcheck"); code != exitFailure {
		t.Errorf("exit code for no server is %d", code)
	}
}

// certificate makes a self-signed one for names, and its key, as files.
func certificate(t *testing.T, names ...string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return keep(t, "CERTIFICATE", cert), keep(t, "PRIVATE KEY", private)
}

func keep(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHealthcheckKnowsItsServerByTheCertificateWhateverItsNames(t *testing.T) {
	t.Parallel()
	stranger, _ := certificate(t, "localhost")
	for name, names := range map[string][]string{"no names": nil, "another name": {"bookings.example"}, "its name": {"localhost"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key := certificate(t, names...)
			address := launch(t, environ(pgtest.URL(t), "TLS_CERT="+cert, "TLS_KEY="+key), "serve").address()
			if code, _, stderr := once(t, []string{"ADDR=" + address, "TLS_CERT=" + cert}, "healthcheck"); code != 0 {
				t.Errorf("exit code is %d: %s", code, stderr)
			}
			if code, _, _ := once(t, []string{"ADDR=" + address, "TLS_CERT=" + stranger}, "healthcheck"); code != exitFailure {
				t.Errorf("exit code for a server with another certificate is %d", code)
			}
		})
	}
}
