package reference

import (
	"embed"
	"net/http"
	"strings"

	"bookings/internal/static"
)

// openapi.yaml is made by internal/tools/reference, asyncapi.yaml is written by hand.
// Of assets/, rapidoc-min.js.gz comes from npm (internal/tools/rapidoc.sh).
//
//go:embed openapi.yaml asyncapi.yaml assets
var files embed.FS

// places are the paths of the files, and their media types.
var places = map[string]struct{ file, media string }{
	"/docs":                        {"assets/page.html", "text/html; charset=utf-8"},
	"/docs/page.css":               {"assets/page.css", "text/css; charset=utf-8"},
	"/docs/page.js":                {"assets/page.js", "text/javascript; charset=utf-8"},
	"/docs/rapidoc.js":             {"assets/rapidoc-min.js.gz", "text/javascript; charset=utf-8"},
	"/docs/LICENSE":                {"assets/LICENSE.txt", "text/plain; charset=utf-8"},
	"/docs/rapidoc.js.LICENSE.txt": {"assets/rapidoc-min.js.LICENSE.txt", "text/plain; charset=utf-8"},
	"/openapi.yaml":                {"openapi.yaml", "application/yaml"},
	"/asyncapi.yaml":               {"asyncapi.yaml", "application/yaml"},
}

// policy lets the page load and ask its own server alone. RapiDoc puts style
// attributes into what it renders, which is what 'unsafe-inline' is for; no script
// is inline, and none is made of text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Pages are the handlers of GET and HEAD, by path.
func Pages() map[string]http.HandlerFunc {
	pages := make(map[string]http.HandlerFunc, len(places))
	for path, place := range places {
		content, err := files.ReadFile(place.file)
		if err != nil {
			panic(err) // each is in the program: a test reads them all
		}
		if strings.HasSuffix(place.file, ".gz") {
			pages[path] = static.Packed(place.media, policy, content).ServeHTTP
			continue
		}
		pages[path] = static.New(place.media, policy, content).ServeHTTP
	}
	return pages
}
