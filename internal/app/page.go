package app

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
	"bookings/internal/ratelimit"
	"bookings/internal/rpcapi"
	"bookings/internal/web"
)

// addPage adds the page at /, and where the settings say so what makes its tokens.
func addPage(mux *router, s Settings, responder apierror.Responder) error {
	pages, err := web.Pages(func(r *http.Request) bool { return s.MintTokens && isFromHere(r) && isNameOfHere(r.Host) })
	if err != nil {
		return err
	}
	for path, page := range pages {
		mux.get(path, page)
	}
	if s.MintTokens {
		mux.Handle(web.TokenPath, forHere(mux.missing, responder, rpcapi.Minter{
			Responder: responder, Secret: []byte(s.JWTSecret), Issuer: s.JWTIssuer, Audience: s.JWTAudience, Now: time.Now,
		}))
	}
	return nil
}

// forHere lets those POST who sit at this machine, by pages of this server alone. For
// all others nothing is there.
func forHere(missing http.Handler, responder apierror.Responder, next http.Handler) http.Handler {
	next = refuseForeignPages(responder, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !isFromHere(r) {
			missing.ServeHTTP(w, r)
			return
		}
		middleware.From(r.Context()).SetRoute(web.TokenPath)
		if !isNameOfHere(r.Host) {
			responder.WriteStatus(w, r, booking.Errorf(booking.ReasonNotAllowed, "the Host must be localhost, a name below it or an address"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// isFromHere reports whether a request was made at this machine. Through a tunnel that
// ends here everybody would seem to be, but for what it says in X-Forwarded-For.
func isFromHere(r *http.Request) bool {
	return ratelimit.ClientAddr(r.RemoteAddr, r.Header, loopback).IsLoopback()
}

// isNameOfHere reports whether a Host is no name that somebody else could have pointed
// at this machine, so that their page would pass for one of ours (DNS rebinding).
func isNameOfHere(host string) bool {
	name := strings.ToLower((&url.URL{Host: host}).Hostname())
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost" || strings.HasSuffix(name, ".localhost")
}
