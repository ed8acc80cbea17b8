package rpcapi

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"connectrpc.com/vanguard"

	"bookings/internal/edge"
)

// maxAnswer is above the largest page of anything: Vanguard has one limit for
// requests and answers.
const maxAnswer = 8 << 20

// newREST transcodes the paths that the proto names (google.api.http) to the
// handlers of the services.
func newREST(services map[string]http.Handler) (http.Handler, error) {
	options := []vanguard.ServiceOption{
		vanguard.WithMaxMessageBufferBytes(maxAnswer),
		// What a codec of ours finds wrong survives in this form alone (codec.go).
		vanguard.WithTargetCodecs(vanguard.CodecProto),
		// Unknown parameters are refused by name, behind the gate (query.go).
		vanguard.WithRESTUnmarshalOptions(vanguard.RESTUnmarshalOptions{DiscardUnknownQueryParams: true}),
	}
	var all []*vanguard.Service
	for path, handler := range services {
		all = append(all, vanguard.NewService(path, handler, options...))
	}
	transcoder, err := vanguard.NewTranscoder(all, vanguard.WithCodec(func(resolver vanguard.TypeResolver) vanguard.Codec {
		codec := newJSONCodec()
		codec.MarshalOptions.Resolver = resolver
		codec.UnmarshalOptions.Resolver = resolver
		return codec
	}))
	if err != nil {
		return nil, fmt.Errorf("transcode REST: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := refuseREST(r); status != 0 {
			w.WriteHeader(status)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, edge.MaxBody)
		// Only Connect would read this header, and no Connect is spoken here.
		r.Header.Del("Connect-Protocol-Version")
		transcoder.ServeHTTP(w, withQuery(r))
	}), nil
}

// refuseREST is the HTTP status for what Vanguard would misread: text that is
// not UTF-8 (it answers 500), a query that cannot be parsed (it drops what it
// cannot read), a body without a media type (it guesses), or one too large (it
// answers 429). The media type of another protocol would send it looking for
// that protocol's paths. And there is no limit between maxAnswer and a gzip
// bomb, so REST takes no compressed bodies.
func refuseREST(r *http.Request) int {
	switch {
	case !utf8.ValidString(r.URL.Path), !validQuery(r):
		return http.StatusBadRequest
	case r.ContentLength > edge.MaxBody:
		return http.StatusRequestEntityTooLarge
	case r.ContentLength != 0 && !isJSON(r), !isPlain(r):
		return http.StatusUnsupportedMediaType
	default:
		return 0
	}
}

func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

func isPlain(r *http.Request) bool {
	encoding := strings.Join(r.Header.Values("Content-Encoding"), ",")
	return encoding == "" || strings.EqualFold(encoding, "identity")
}

func validQuery(r *http.Request) bool {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return false
	}
	for name, all := range values {
		for _, value := range append(all, name) {
			if !utf8.ValidString(value) {
				return false
			}
		}
	}
	return true
}
