package app

import (
	"net/http"
	"strings"

	"bookings/internal/middleware"
)

// router finds handlers by path. Unlike http.ServeMux it takes paths as they are
// sent, adds no slash and cleans nothing, and so never redirects: clients of RPC
// do not follow, and a POST that is followed may become a GET.
type router struct {
	paths map[string]http.Handler
	// trees are handlers of all below a first segment, such as "/v1/".
	trees   map[string]http.Handler
	missing http.Handler
}

func newRouter(missing http.Handler) *router {
	return &router{paths: map[string]http.Handler{}, trees: map[string]http.Handler{}, missing: missing}
}

// Handle adds a path, or all paths below one that ends in a slash; / is itself alone.
func (m *router) Handle(path string, handler http.Handler) {
	if path != "/" && strings.HasSuffix(path, "/") {
		m.trees[path] = handler
		return
	}
	m.paths[path] = handler
}

// get adds a path that is only read.
func (m *router) get(path string, handler http.HandlerFunc) {
	m.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			m.missing.ServeHTTP(w, r)
			return
		}
		middleware.From(r.Context()).SetRoute(path)
		handler(w, r)
	}))
}

// ServeHTTP implements http.Handler.
func (m *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.find(r.URL.Path).ServeHTTP(w, r)
}

func (m *router) find(path string) http.Handler {
	if handler, ok := m.paths[path]; ok {
		return handler
	}
	if rest, ok := strings.CutPrefix(path, "/"); ok {
		if end := strings.IndexByte(rest, '/'); end >= 0 {
			if handler, ok := m.trees[path[:end+2]]; ok {
				return handler
			}
		}
	}
	return m.missing
}
