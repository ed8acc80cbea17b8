package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"bookings/internal/app"
)

// healthcheck exits 0 while the server is ready: what a container asks.
func (p program) healthcheck(ctx context.Context, args []string) error {
	address := ""
	_, err := p.flags("healthcheck", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&address, "url", "", "the server; by default where ADDR says, on this machine")
	})
	if err != nil {
		return err
	}
	if address == "" {
		if address, err = p.local(); err != nil {
			return err
		}
	}
	client, err := p.healthClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return askReady(ctx, client, strings.TrimSuffix(address, "/")+"/health/ready")
}

func askReady(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("the server is not ready: " + response.Status)
	}
	return nil
}

// local is the URL of the server that the settings of this machine describe.
func (p program) local() (string, error) {
	addr := p.variable("ADDR")
	if addr == "" {
		addr = ":8080"
	}
	host, port, err := app.SplitAddr(addr)
	if err != nil {
		return "", fmt.Errorf("%w: ADDR: %w", errUsage, err)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	scheme := "http"
	if p.variable("TLS_CERT") != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}

// healthClient knows the server by the certificate in TLS_CERT, where that is
// set. It asks no proxy: the server is this machine's.
func (p program) healthClient() (*http.Client, error) {
	transport := &http.Transport{}
	if path := p.variable("TLS_CERT"); path != "" {
		own, err := readCertificate(path)
		if err != nil {
			return nil, fmt.Errorf("%w: TLS_CERT: %w", errUsage, err)
		}
		transport.TLSClientConfig = trustOnly(own)
	}
	return &http.Client{Transport: transport}, nil
}

// readCertificate reads the first certificate of a file: a server's own, which
// its issuers' may follow.
func readCertificate(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return block.Bytes, nil
		}
	}
	return nil, errors.New("there is no certificate in " + path)
}

var errStranger = errors.New("the server shows another certificate than TLS_CERT: is it another server, or does the renewed file not fit its key?")

// trustOnly takes this one certificate, whoever signed it and whatever names it
// has: the server's names are for its callers, and this machine's need not be
// among them. That the server has its key the handshake proves, as ever.
func trustOnly(own []byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // #nosec G402 -- VerifyConnection asks for more than a chain
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, own) {
				return errStranger
			}
			return nil
		},
	}
}
