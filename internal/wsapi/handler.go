package wsapi

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/edge"
	"bookings/internal/feed"
	"bookings/internal/identity"
)

// protocol is the subprotocol of /ws. A browser, which cannot set headers,
// offers it together with its token.
const (
	protocol     = "bookings.v1"
	bearerPrefix = "bearer."
)

// Handler serves /ws.
type Handler struct {
	apierror.Answerer
	Gate  *edge.Gate
	Feeds *feed.Hub
	// Origins are the foreign origins that browsers may come from; "*" is any.
	Origins []string

	sessions sync.WaitGroup
	mu       sync.Mutex
	open     map[*session]struct{}
	closing  bool
}

// ServeHTTP checks everything that can be answered by an HTTP status, upgrades,
// and gives the goroutine back: the session has its own.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, token, err := h.admit(r)
	switch {
	case err != nil && token != "" && isCredentialFault(err):
		// A browser cannot see a 401, so it is told by a close code.
		h.refuse(w, r, err)
		return
	case err != nil:
		h.Write(w, r, err)
		return
	}
	caller, _ := identity.FromContext(ctx)
	subscription, err := h.subscribe(ctx, r, caller)
	if err != nil {
		h.Write(w, r, err)
		return
	}
	conn, err := websocket.Accept(w, r, acceptOptions())
	if err != nil { // answered by the library: this was no WebSocket handshake
		subscription.Close()
		return
	}
	h.start(newSession(h, conn, caller, subscription))
}

// The origin is checked by us, so that its refusal is ours. Compression stays
// off: it would cost each connection megabytes.
func acceptOptions() *websocket.AcceptOptions {
	return &websocket.AcceptOptions{
		Subprotocols:       []string{protocol},
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	}
}

// admit asks the gate. token is what was offered as a subprotocol, where the
// request has no Authorization header.
func (h *Handler) admit(r *http.Request) (ctx context.Context, token string, err error) {
	if !h.allowsOrigin(r) {
		return nil, "", booking.Errorf(booking.ReasonNotAllowed, "this origin may not connect")
	}
	credentials := identity.FromHeader(r.Header)
	if token = offeredToken(r); token != "" && len(credentials.Authorization) == 0 {
		ctx, err = h.Gate.AdmitBearer(r.Context(), token)
		return ctx, token, err
	}
	ctx, err = h.Gate.Admit(r.Context(), credentials, false)
	return ctx, "", err
}

func (h *Handler) allowsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(h.Origins, "*") || slices.Contains(h.Origins, origin) {
		return true
	}
	parsed, err := url.Parse(origin)
	return err == nil && strings.EqualFold(parsed.Host, r.Host)
}

func offeredToken(r *http.Request) string {
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offered := range strings.SplitSeq(header, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(offered), bearerPrefix); ok {
				return token
			}
		}
	}
	return ""
}

func isCredentialFault(err error) bool {
	for _, reason := range []booking.Reason{booking.ReasonTokenInvalid, booking.ReasonTokenExpired} {
		if booking.IsReason(err, reason) {
			return true
		}
	}
	return false
}

// refuse upgrades to say that the token is no good.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	conn, acceptErr := websocket.Accept(w, r, acceptOptions())
	if acceptErr != nil {
		return
	}
	edge.From(r.Context()).Answer(strconv.Itoa(int(closeUnauthorized)))
	h.sessions.Go(func() { _ = conn.Close(closeUnauthorized, reasonOf(err)) })
}

func (h *Handler) subscribe(ctx context.Context, r *http.Request, caller identity.Caller) (*feed.Subscription, error) {
	after, err := parseAfter(r)
	if err != nil {
		return nil, err
	}
	if h.isClosing() {
		return nil, booking.Errorf(booking.ReasonShuttingDown, "this instance is going away: connect again")
	}
	key := feed.Key{Role: caller.Actor.Role, User: caller.Actor.ID}
	return h.Feeds.Subscribe(ctx, key, after, feed.MaxReaders)
}

var digits = regexp.MustCompile(`^[0-9]{1,19}$`)

// parseAfter reads ?after=, with or without leading zeros; nil where there is
// none.
func parseAfter(r *http.Request) (*int64, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, booking.Errorf(booking.ReasonValidationFailed, "the query cannot be read")
	}
	for name := range query {
		if name != "after" {
			return nil, booking.Invalid(name, "is not a parameter of /ws")
		}
	}
	values, ok := query["after"]
	if !ok {
		return nil, nil
	}
	after, err := strconv.ParseInt(values[0], 10, 64)
	if len(values) > 1 || err != nil || !digits.MatchString(values[0]) {
		return nil, booking.Invalid("after", "must be one sequence number: 1 to 19 digits")
	}
	return &after, nil
}
