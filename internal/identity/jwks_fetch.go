package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// maxSet is the size of the largest set of keys, in bytes, as inflated.
const maxSet = 256 << 10

// CheckJWKSURL fails unless keys can be fetched from the URL in safety: by https,
// or by http from this machine; whoever could change them on their way could be
// anybody. Credentials have no place in it.
func CheckJWKSURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil, parsed.Host == "", parsed.Scheme != "https" && parsed.Scheme != "http":
		return errors.New("is no URL such as https://login.example.com/.well-known/jwks.json")
	case parsed.User != nil:
		return errors.New("must not hold a user or a password")
	case parsed.Fragment != "":
		return errors.New("must not have a fragment")
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		return errors.New("must be https://, or http:// on this machine: else others could change the keys on their way")
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// newKeyClient follows no redirect: the keys come from where the setting says. It
// keeps no connection, as there is a call in minutes.
func newKeyClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{}).DialContext,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (j *JWKS) fetch(ctx context.Context) (keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, j.pace.fetch)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.url, http.NoBody)
	if err != nil {
		return keySet{}, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := j.client.Do(request)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return keySet{}, failed.Err // without the URL: a query may be secret
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return keySet{}, fmt.Errorf("the key server redirects (%s): give the URL where the keys are", response.Status)
	case response.StatusCode != http.StatusOK:
		return keySet{}, fmt.Errorf("the key server answers %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSet+1))
	switch {
	case err != nil:
		return keySet{}, fmt.Errorf("read the keys: %w", err)
	case len(body) > maxSet:
		return keySet{}, fmt.Errorf("the key server answers more than %d bytes", maxSet)
	}
	return parseSet(body)
}
