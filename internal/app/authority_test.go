package app

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"
)

// authority is a CA.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// file is its certificate's.
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.key = newP256(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = writePEM(t, "CERTIFICATE", der)
	return a
}

func newP256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue signs a certificate that is good for servers and clients, with changes.
func (a *authority) issue(changes func(*x509.Certificate)) (der []byte, key crypto.Signer) {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{{127, 0, 0, 1}},
	}
	changes(template)
	made := newP256(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, made.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, made
}

// serverFiles are a server's certificate and key.
func (a *authority) serverFiles() (cert, key string) {
	a.t.Helper()
	der, signer := a.issue(func(*x509.Certificate) {})
	return writePEM(a.t, "CERTIFICATE", der), writePEM(a.t, "PRIVATE KEY", pkcs8(a.t, signer))
}

func pkcs8(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// client is what a service of these names connects with; it trusts the CA itself.
func (a *authority) client(dns, uri string) *tls.Config {
	a.t.Helper()
	return a.clientWith(func(cert *x509.Certificate) {
		if dns != "" {
			cert.DNSNames = []string{"another.internal", dns}
		}
		if parsed, err := url.Parse(uri); err == nil && uri != "" {
			cert.URIs = []*url.URL{parsed}
		}
	})
}

func (a *authority) clientWith(changes func(*x509.Certificate)) *tls.Config {
	a.t.Helper()
	der, key := a.issue(changes)
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: a.pool(),
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// with is the same server, for clients of this configuration.
func (i *instance) with(config *tls.Config) *instance {
	i.t.Helper()
	other := newInstance(i.t)
	var http2 http.Protocols
	http2.SetHTTP2(true)
	other.addr, other.log, other.tls = i.addr, i.log, config
	other.http1.TLSClientConfig, other.http2.TLSClientConfig = config.Clone(), config.Clone()
	other.http2.Protocols = &http2
	return other
}

// connects tells whether a client of this configuration is served, on a connection
// of its own.
func (i *instance) connects(config *tls.Config) error {
	i.t.Helper()
	other := i.with(config)
	response, err := other.http1.RoundTrip(other.get("/health", http.Header{}))
	if err == nil {
		_ = response.Body.Close()
		other.http1.CloseIdleConnections()
	}
	return err
}

// renew puts the contents of one file into another, as a renewal does: at once.
func renew(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
