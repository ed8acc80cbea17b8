package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

var (
	errNoPlace = errors.New("is no host:port, such as localhost:8080 or :8080")
	errNoHost  = errors.New("its host is no address and no name")
)

// SplitAddr takes ADDR apart. An empty host means every address of this machine.
// It fails where nobody could listen on any machine; whether this one has the
// address shows only when it listens.
func SplitAddr(addr string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(addr)
	if err != nil {
		return "", "", errNoPlace
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", errNoPlace
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !isHostName(host) {
		return "", "", errNoHost
	}
	return host, port, nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$`)

// isHostName tells names from misspelt addresses, such as 300.1.1.1.
func isHostName(host string) bool {
	return hostName.MatchString(host) && strings.Trim(host, "0123456789.") != ""
}

var errAlone = errors.New("one without the other")

// checkKeyPair reads the files as the server will, where they are set.
func checkKeyPair(cert, key string) error {
	if (cert == "") != (key == "") {
		return errAlone
	}
	if cert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return fmt.Errorf("read the certificate and its key: %w", err)
	}
	return nil
}
