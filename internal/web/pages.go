package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"net/http"

	"bookings/internal/static"
)

// TokenPath is where the page has its tokens made, on servers that do so.
const TokenPath = "/dev/token"

// dist is built of src, and committed.
//
//go:embed dist/index.html dist/page.js dist/page.css dist/page.js.LICENSE.txt
var dist embed.FS

// places are the paths of the files, and their media types. / is another matter.
var places = map[string]struct{ file, media string }{
	"/page.js":             {"dist/page.js", "text/javascript; charset=utf-8"},
	"/page.css":            {"dist/page.css", "text/css; charset=utf-8"},
	"/page.js.LICENSE.txt": {"dist/page.js.LICENSE.txt", "text/plain; charset=utf-8"},
}

// policy lets the page load and ask its own server alone, by sockets too. Nothing is
// inline, and no text becomes a script or a part of the page (Trusted Types).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Pages are the handlers of GET and HEAD, by path. mints tells whether tokens are made
// for whoever asks, at TokenPath; the page is told so.
func Pages(mints func(*http.Request) bool) (map[string]http.HandlerFunc, error) {
	pages := make(map[string]http.HandlerFunc, len(places)+1)
	for path, place := range places {
		content, err := dist.ReadFile(place.file)
		if err != nil {
			return nil, fmt.Errorf("the page: %w", err)
		}
		pages[path] = static.New(place.media, policy, content).ServeHTTP
	}
	content, err := dist.ReadFile("dist/index.html")
	if err != nil {
		return nil, fmt.Errorf("the page: %w", err)
	}
	pages["/"], err = index(content, mints)
	return pages, err
}

// index is the page, which has two forms: with the place where tokens are made, and without.
func index(content []byte, mints func(*http.Request) bool) (http.HandlerFunc, error) {
	told, err := withTokens(content)
	if err != nil {
		return nil, err
	}
	const media = "text/html; charset=utf-8"
	without, with := static.New(media, policy, content), static.New(media, policy, told)
	return func(w http.ResponseWriter, r *http.Request) {
		if mints(r) {
			with.ServeHTTP(w, r)
			return
		}
		without.ServeHTTP(w, r)
	}, nil
}

var errNoLine = errors.New(`the page: index.html does not have the line <meta name="tokens" content=""> once`)

// withTokens names TokenPath in the page.
func withTokens(content []byte) ([]byte, error) {
	const before, after = `<meta name="tokens" content="">`, `<meta name="tokens" content="` + TokenPath + `">`
	if bytes.Count(content, []byte(before)) != 1 {
		return nil, errNoLine
	}
	return bytes.Replace(content, []byte(before), []byte(after), 1), nil
}
