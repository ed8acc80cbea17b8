package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// tlsFiles are the files of a listener's certificates, which may be renewed while
// it runs: they are read at each handshake, which costs much more.
type tlsFiles struct {
	cert, key string
	// ca is the file of the CA whose client certificates are demanded; empty: none are.
	ca    string
	names clientNames
	// least is the oldest version of TLS that is spoken.
	least uint16
	log   *slog.Logger

	mu     sync.Mutex
	read   [][]byte
	config *tls.Config
	fault  string
}

// configure is the configuration for the next handshake. Files that cannot be used,
// such as a certificate whose key has not been renewed yet, leave the last one.
func (f *tlsFiles) configure(*tls.ClientHelloInfo) (*tls.Config, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.reload()
	switch {
	case err == nil:
		f.fault = ""
	case err.Error() != f.fault:
		f.fault = err.Error()
		f.log.Warn("cannot use the renewed TLS files: going on with those of before", "error", err)
	}
	if f.config == nil {
		return nil, err
	}
	return f.config, nil
}

func (f *tlsFiles) reload() error {
	read, err := f.readAll()
	if err != nil {
		return err
	}
	if f.config != nil && equal(read, f.read) {
		return nil
	}
	config, err := f.parse(read)
	if err != nil {
		return err
	}
	if f.config != nil {
		f.log.Info("the TLS files were renewed", "cert", f.cert)
	}
	f.read, f.config = read, config
	return nil
}

func (f *tlsFiles) readAll() ([][]byte, error) {
	var all [][]byte
	for _, path := range []string{f.cert, f.key, f.ca} {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

func equal(one, other [][]byte) bool {
	for n := range one {
		if !bytes.Equal(one[n], other[n]) {
			return false
		}
	}
	return true
}

// parse makes the configuration of the contents of the files.
func (f *tlsFiles) parse(read [][]byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(read[0], read[1])
	if err != nil {
		return nil, fmt.Errorf("read the certificate and its key: %w", err)
	}
	config := &tls.Config{MinVersion: f.least, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if f.ca == "" {
		return config, nil
	}
	if config.ClientCAs, err = parseCA(read[2]); err != nil {
		return nil, fmt.Errorf("%s: %w", f.ca, err)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.VerifyConnection = f.checkName
	// A resumed session would go by the CA of when it began.
	config.SessionTicketsDisabled = true
	return config, nil
}

var errUnnamed = errors.New("the client certificate has none of the names in INTERNAL_CLIENT_NAMES")

// checkName refuses whom the CA knows and we do not.
func (f *tlsFiles) checkName(state tls.ConnectionState) error {
	if f.names.of(&state) != "" {
		return nil
	}
	cert := state.PeerCertificates[0]
	f.log.Warn("refused a client certificate that INTERNAL_CLIENT_NAMES does not name", "names", fmt.Sprint(cert.DNSNames, cert.URIs))
	return errUnnamed
}

func readCA(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool, err := parseCA(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pool, nil
}

// parseCA reads certificates that may sign others: one, or two while one replaces
// the other.
func parseCA(text []byte) (*x509.CertPool, error) {
	pool, found := x509.NewCertPool(), 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("no certificate that can be read")
		}
		if !cert.IsCA {
			return nil, errors.New("a certificate that is no CA's")
		}
		pool.AddCert(cert)
		found++
	}
	if found == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return pool, nil
}
