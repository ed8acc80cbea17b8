package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// checkInternal finds what is wrong with how internal services come in.
func (s Settings) checkInternal() []error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	for _, token := range s.InternalTokens {
		fault(len(token) < minSecret, "INTERNAL_TOKEN: each value must have %d bytes or more", minSecret)
	}
	fault(len(s.InternalTokens) > 2, "INTERNAL_TOKEN: at most two values, during rotation")
	if s.InternalAddr == "" {
		const useless = "%s: is of no use without INTERNAL_ADDR"
		fault(s.InternalTLSCert != "", useless, "INTERNAL_TLS_CERT")
		fault(s.InternalTLSKey != "", useless, "INTERNAL_TLS_KEY")
		fault(s.InternalCA != "", useless, "INTERNAL_CLIENT_CA")
		fault(len(s.InternalNames) > 0, useless, "INTERNAL_CLIENT_NAMES")
		return faults
	}
	_, _, err := SplitAddr(s.InternalAddr)
	fault(err != nil, "INTERNAL_ADDR: %w", err)
	fault(err == nil && samePlace(s.Addr, s.InternalAddr), "INTERNAL_ADDR: is the place of ADDR")
	err = checkKeyPair(s.InternalTLSCert, s.InternalTLSKey)
	fault(err != nil, "INTERNAL_TLS_CERT and INTERNAL_TLS_KEY: %w", err)
	return append(faults, s.checkClients()...)
}

// checkClients: a CA that signs for many does not say who may come in, so that it
// needs names.
func (s Settings) checkClients() []error {
	var faults []error
	if (s.InternalCA == "") != (len(s.InternalNames) == 0) {
		faults = append(faults, fmt.Errorf("INTERNAL_CLIENT_CA and INTERNAL_CLIENT_NAMES: %w", errAlone))
	}
	if s.InternalCA != "" {
		if s.InternalTLSCert == "" {
			faults = append(faults, errors.New("INTERNAL_CLIENT_CA: needs INTERNAL_TLS_CERT and INTERNAL_TLS_KEY"))
		}
		if _, err := readCA(s.InternalCA); err != nil {
			faults = append(faults, fmt.Errorf("INTERNAL_CLIENT_CA: %w", err))
		}
	}
	for _, name := range s.InternalNames {
		if !isServiceName(name) {
			faults = append(faults, fmt.Errorf("INTERNAL_CLIENT_NAMES: %q is no DNS name or URI, such as billing.internal or spiffe://example.com/billing", name))
		}
	}
	return faults
}

// samePlace tells whether nobody could listen at both addresses.
func samePlace(one, other string) bool {
	host1, port1, err1 := net.SplitHostPort(one)
	host2, port2, err2 := net.SplitHostPort(other)
	return err1 == nil && err2 == nil && port1 == port2 && port1 != "0" && (host1 == host2 || host1 == "" || host2 == "")
}

// isServiceName tells whether a certificate could have the name. There are no
// wildcards: each service that may come in is named.
func isServiceName(name string) bool {
	parsed, err := url.Parse(name)
	isURI := err == nil && parsed.Scheme != "" && parsed.Host != ""
	return isURI && !strings.ContainsAny(name, " *") || isHostName(name)
}

// clientNames are the services that may connect.
type clientNames []string

// of is the name of these that the client's certificate has; empty without one.
func (n clientNames) of(state *tls.ConnectionState) string {
	if len(state.PeerCertificates) == 0 {
		return ""
	}
	for _, name := range n {
		if hasName(state.PeerCertificates[0], name) {
			return name
		}
	}
	return ""
}

func hasName(cert *x509.Certificate, name string) bool {
	for _, dns := range cert.DNSNames {
		if strings.EqualFold(dns, name) {
			return true
		}
	}
	for _, uri := range cert.URIs {
		if uri.String() == name {
			return true
		}
	}
	return false
}
