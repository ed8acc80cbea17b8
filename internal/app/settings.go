package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"bookings/internal/booking"
	"bookings/internal/pgpool"
)

// minSecret is the shortest secret that is accepted, in bytes (RFC 7518,
// section 3.2, for HS256).
const minSecret = 32

// maxPendingTTL is longer than any answer takes.
const maxPendingTTL = 365 * 24 * time.Hour

// Settings are the environment. The help tags are what --help shows.
type Settings struct {
	Addr            string          `env:"ADDR" envDefault:":8080" help:"address to listen on"`
	TLSCert         string          `env:"TLS_CERT" help:"file of the TLS certificate; with TLS_KEY"`
	TLSKey          string          `env:"TLS_KEY" help:"file of the TLS key; with TLS_CERT"`
	DatabaseURL     string          `env:"DATABASE_URL" help:"PostgreSQL 14 or newer with btree_gist (required)"`
	DatabasePooler  bool            `env:"DATABASE_POOLER" help:"DATABASE_URL is a pooler's in transaction mode, such as PgBouncer's"`
	RedisURL        string          `env:"REDIS_URL" help:"Redis, to carry events between instances; unset: inside this process alone"`
	JWTSecret       string          `env:"JWT_SECRET" help:"shared secret of the tokens (HS256), 32 bytes or more; this or one of the next two is required"`
	JWTPublicKey    string          `env:"JWT_PUBLIC_KEY_FILE" help:"PEM file of the tokens' public key: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA)"`
	JWKSURL         string          `env:"JWT_JWKS_URL" help:"URL of the identity provider's keys (JWKS)"`
	JWTIssuer       string          `env:"JWT_ISSUER" help:"the iss that tokens must have; unset: any"`
	JWTAudience     string          `env:"JWT_AUDIENCE" help:"the aud that tokens must have; unset: any"`
	InternalTokens  []string        `env:"INTERNAL_TOKEN" help:"x-internal-token of internal services, 32 bytes or more; two values during rotation"`
	InternalAddr    string          `env:"INTERNAL_ADDR" help:"address to listen on for internal services, which then come in nowhere else"`
	InternalTLSCert string          `env:"INTERNAL_TLS_CERT" help:"file of the TLS certificate there; with INTERNAL_TLS_KEY"`
	InternalTLSKey  string          `env:"INTERNAL_TLS_KEY" help:"file of the TLS key there; with INTERNAL_TLS_CERT"`
	InternalCA      string          `env:"INTERNAL_CLIENT_CA" help:"file of the CA of the client certificates demanded there; with INTERNAL_CLIENT_NAMES"`
	InternalNames   []string        `env:"INTERNAL_CLIENT_NAMES" help:"services that may connect there: DNS names or URIs in their certificates"`
	RateLimit       int             `env:"RATE_LIMIT_RPM" envDefault:"60" help:"requests a minute for each user or address; 0: no limit"`
	MaxConnections  int             `env:"MAX_CONNECTIONS" envDefault:"10000" help:"connections that the listener at ADDR holds; 0: no bound"`
	MaxEach         int             `env:"MAX_CONNECTIONS_PER_ADDRESS" envDefault:"1000" help:"the same by address (IPv6: /64), but for trusted proxies; 0: none"`
	MaxPending      int64           `env:"MAX_PENDING" envDefault:"10" help:"PENDING bookings that a customer may hold at one provider"`
	PendingTTL      time.Duration   `env:"PENDING_TTL" help:"how long PENDING bookings wait for an answer before they expire, from 1s to 8760h; unset: for ever"`
	ReminderLeads   []time.Duration `env:"REMINDER_LEADS" envDefault:"10m" help:"how long before the start to remind: up to 5, such as 24h,1h, of up to 720h"`
	FeedRetention   time.Duration   `env:"FEED_RETENTION" envDefault:"720h" help:"how long entries of feeds are kept"`
	AllowedOrigins  []string        `env:"ALLOWED_ORIGINS" help:"origins that browsers may call from, such as https://example.com; * is any"`
	TrustedProxies  []netip.Prefix  `env:"TRUSTED_PROXIES" help:"networks whose X-Forwarded-For counts, such as 10.0.0.0/8"`
	Docs            bool            `env:"DOCS" envDefault:"false" help:"true: the API's reference at /docs of ADDR; bookings dev has it anyhow"`
	Page            bool            `env:"PAGE" envDefault:"false" help:"true: the page at / of ADDR, to book with; bookings dev has it anyhow"`
	LogLevel        slog.Level      `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
	LogFormat       string          `env:"LOG_FORMAT" envDefault:"json" help:"json or text"`
	ShutdownTimeout time.Duration   `env:"SHUTDOWN_TIMEOUT" envDefault:"20s" help:"how long a shutdown may take"`
	AdminAddr       string          `env:"ADMIN_ADDR" help:"address to listen on for operators: metrics, profiles and jobs; nobody is asked who they are"`
	TraceEndpoint   string          `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"URL that traces are sent to (OTLP over HTTP), such as http://localhost:4318"`
	TraceProtocol   string          `env:"OTEL_EXPORTER_OTLP_PROTOCOL" envDefault:"http/protobuf" help:"only http/protobuf is spoken"`

	// Drain is how long a stopping server still takes requests after its
	// readiness is off, for load balancers to notice.
	Drain time.Duration
	// Silence is how long a stream of events goes without a message before a
	// checkpoint; 0 is what callers are promised.
	Silence time.Duration
	// Worker tells whether reminders are worked here.
	Worker bool
	// MintTokens has the page make tokens for whoever sits at this machine. It is
	// dev's, and no variable's.
	MintTokens bool
}

// FromEnvironment reads the settings of a server. Its error names every fault.
func FromEnvironment(environ []string) (Settings, error) {
	variables := env.ToMap(environ)
	settings := Settings{Drain: 2 * time.Second, Worker: true}
	faults := []error{}
	if err := env.ParseWithOptions(&settings, env.Options{Environment: variables}); err != nil {
		faults = append(faults, parseFaults(err)...)
	}
	if variables["REMINDER_LEAD"] != "" {
		faults = append(faults, errors.New("REMINDER_LEAD: is REMINDER_LEADS now, which takes several"))
	}
	faults = append(faults, settings.check()...)
	return settings, errors.Join(faults...)
}

// parseFaults names the variable where the library names the field.
func parseFaults(err error) []error {
	var aggregate env.AggregateError
	if !errors.As(err, &aggregate) {
		return []error{err}
	}
	var faults []error
	for _, single := range aggregate.Errors {
		var parse env.ParseError
		if !errors.As(single, &parse) {
			faults = append(faults, single)
			continue
		}
		field, _ := reflect.TypeFor[Settings]().FieldByName(parse.Name)
		faults = append(faults, fmt.Errorf("%s: %w", field.Tag.Get("env"), parse.Err))
	}
	return faults
}

// check finds what is missing or contradictory.
func (s Settings) check() []error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(s.DatabaseURL == "", "DATABASE_URL: is required")
	faults = append(faults, s.checkKeys()...)
	faults = append(append(faults, s.checkInternal()...), s.checkWatch()...)
	_, _, err := SplitAddr(s.Addr)
	fault(err != nil, "ADDR: %w", err)
	err = checkKeyPair(s.TLSCert, s.TLSKey)
	fault(err != nil, "TLS_CERT and TLS_KEY: %w", err)
	fault(s.RateLimit < 0, "RATE_LIMIT_RPM: must not be negative")
	fault(s.MaxConnections < 0, "MAX_CONNECTIONS: must not be negative")
	fault(s.MaxEach < 0, "MAX_CONNECTIONS_PER_ADDRESS: must not be negative")
	fault(s.MaxPending < 1, "MAX_PENDING: must be 1 or more")
	faults = append(faults, checkTerms(s.PendingTTL, s.ReminderLeads)...)
	fault(s.FeedRetention <= 0, "FEED_RETENTION: must be longer than nothing")
	fault(s.ShutdownTimeout <= 0, "SHUTDOWN_TIMEOUT: must be longer than nothing")
	fault(!slices.Contains([]string{"json", "text"}, s.LogFormat), "LOG_FORMAT: must be json or text")
	for _, origin := range s.AllowedOrigins {
		fault(!isOrigin(origin), "ALLOWED_ORIGINS: %q is no origin such as https://example.com", origin)
	}
	if s.RedisURL != "" {
		client, err := redisClient(s.RedisURL)
		fault(err != nil, "REDIS_URL: is no redis:// or rediss:// URL")
		if err == nil {
			_ = client.Close()
		}
	}
	if s.DatabaseURL != "" {
		_, err := pgpool.Config(s.DatabaseURL)
		fault(err != nil, "DATABASE_URL: is no postgres:// URL or connection string")
	}
	return faults
}

// checkTerms asks of the setting's leads what the proto asks of a request's.
func checkTerms(pendingTTL time.Duration, leads []time.Duration) []error {
	var faults []error
	if pendingTTL != 0 && (pendingTTL < time.Second || pendingTTL > maxPendingTTL) {
		faults = append(faults, fmt.Errorf("PENDING_TTL: must be from 1s to %v", maxPendingTTL))
	}
	if len(leads) > booking.MaxLeads {
		faults = append(faults, fmt.Errorf("REMINDER_LEADS: at most %d", booking.MaxLeads))
	}
	for i, lead := range leads {
		if lead < 0 || lead > booking.MaxLead || lead%time.Second != 0 {
			faults = append(faults, fmt.Errorf("REMINDER_LEADS: %v is not of whole seconds from 0s to %v", lead, booking.MaxLead))
		}
		if slices.Contains(leads[:i], lead) {
			faults = append(faults, fmt.Errorf("REMINDER_LEADS: %v is there twice", lead))
		}
	}
	return faults
}

func isOrigin(text string) bool {
	origin, err := url.Parse(text)
	return text == "*" || err == nil && origin.Scheme != "" && origin.Host != "" && origin.Path == "" &&
		origin.RawQuery == "" && !strings.Contains(text, "*")
}

// Help lists the settings, a line each.
func Help() string {
	var help strings.Builder
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Settings]()) {
		name, ok := field.Tag.Lookup("env")
		if !ok {
			continue
		}
		text := field.Tag.Get("help")
		if value := field.Tag.Get("envDefault"); value != "" {
			text += " (default " + value + ")"
		}
		fmt.Fprintf(&help, "  %-27s %s\n", name, text)
	}
	return help.String()
}
