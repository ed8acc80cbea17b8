package wsapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
	"bookings/internal/middleware"
)

// protocol is the subprotocol of /ws. A browser, which cannot set headers,
// offers it together with its token.
const (
	protocol     = "bookings.v1"
	bearerPrefix = "bearer."
)

// Handler serves /ws.
type Handler struct {
	apierror.Responder
	Gate  *middleware.Gate
	Feeds *feed.Hub
	// Origins are the foreign origins that browsers may come from; "*" is any.
	Origins []string

	// timing is the contract's where it is zero; tests are in more of a hurry.
	timing  timing
	sockets sockets
}

// ServeHTTP checks everything that can be answered by an HTTP status, upgrades,
// and gives the goroutine back: the session has its own.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.sockets.enter() {
		h.WriteStatus(w, r, errLeaving)
		return
	}
	defer h.sockets.running.Done()
	ctx, offered, err := h.admit(r)
	switch {
	case err == nil:
		h.serve(w, r.WithContext(ctx))
	case offered && isCredentialFault(err):
		// A browser cannot see a 401, so it is told by a close code.
		h.turnAway(w, r, err)
	default:
		h.WriteStatus(w, r, err)
	}
}

// admit asks the gate. offered tells whether the token was offered as a
// subprotocol, which counts where there is no Authorization header.
func (h *Handler) admit(r *http.Request) (ctx context.Context, offered bool, err error) {
	if !h.allowsOrigin(r) {
		return nil, false, booking.Errorf(booking.ReasonNotAllowed, "this origin may not connect")
	}
	credentials := identity.FromHeader(r.Header)
	if token, found := offeredToken(r); found && len(credentials.Authorization) == 0 {
		ctx, err = h.Gate.AdmitBearer(r.Context(), token)
		return ctx, true, err
	}
	ctx, err = h.Gate.Admit(r.Context(), credentials, middleware.DoorSocket)
	return ctx, false, err
}

func (h *Handler) allowsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	// A browser sends small letters, whatever is in the setting.
	named := func(allowed string) bool { return allowed == "*" || strings.EqualFold(allowed, origin) }
	if origin == "" || slices.ContainsFunc(h.Origins, named) {
		return true
	}
	parsed, err := url.Parse(origin)
	return err == nil && strings.EqualFold(parsed.Host, r.Host)
}

func offeredToken(r *http.Request) (token string, offered bool) {
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for protocol := range strings.SplitSeq(header, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(protocol), bearerPrefix); ok {
				return token, true
			}
		}
	}
	return "", false
}

func isCredentialFault(err error) bool {
	return booking.IsReason(err, booking.ReasonTokenInvalid) || booking.IsReason(err, booking.ReasonTokenExpired) ||
		booking.IsReason(err, booking.ReasonTokenMissing)
}

// serve subscribes, upgrades and starts the session. All that can be refused by
// an HTTP status is refused before the upgrade.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	subscription, err := h.subscribe(r)
	if err != nil {
		h.WriteStatus(w, r, err)
		return
	}
	s := newSession(h, subscription)
	s.caller, s.log = identity.From(r.Context()), newSessionLog(r.Context())
	s.peer = middleware.From(r.Context()).Peer()
	if s.conn, s.wire, err = h.upgrade(w, r, peer{broke: s.endFor, ponged: s.ponged}); err != nil {
		subscription.Close()
		return
	}
	h.sockets.start(s)
}

func (h *Handler) subscribe(r *http.Request) (*feed.Subscription, error) {
	after, err := parseAfter(r)
	if err != nil {
		return nil, err
	}
	caller := identity.From(r.Context())
	key := feed.Key{Role: caller.Actor.Role, User: caller.Actor.ID}
	return h.Feeds.Subscribe(r.Context(), key, after, feed.MaxReaders)
}

// turnAway upgrades to say that the token is no good.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	conn, wire, acceptErr := h.upgrade(w, r, peer{broke: func(closeError) {}, ponged: func() {}})
	if acceptErr != nil {
		return
	}
	middleware.From(r.Context()).MarkAnswered(strconv.Itoa(int(closeUnauthorized)))
	why := closeError{closeUnauthorized, reasonOf(err)}
	h.sockets.running.Go(func() { closeConn(conn, wire, why, h.times().goodbye) })
}

func reasonOf(err error) string {
	if known, ok := errors.AsType[*booking.Error](err); ok {
		return string(known.Reason)
	}
	return "INTERNAL"
}
