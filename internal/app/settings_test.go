package app

import (
	"crypto/x509"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// serviceToken is as short as an internal token may be.
const serviceToken = "01234567890123456789012345678901"

// required is what no server starts without.
func required(more ...string) []string {
	return append([]string{"DATABASE_URL=postgres://localhost/bookings", "JWT_SECRET=" + testSecret}, more...)
}

func TestSettingsHaveTheDefaultsOfTheContract(t *testing.T) {
	t.Parallel()
	got, err := FromEnvironment(required())
	want := Settings{
		Addr: ":8080", DatabaseURL: "postgres://localhost/bookings", JWTSecret: testSecret,
		RateLimit: 60, MaxConnections: 10_000, MaxEach: 1000, MaxPending: 10, ReminderLeads: []time.Duration{10 * time.Minute}, FeedRetention: 720 * time.Hour, LogFormat: "json",
		TraceProtocol: "http/protobuf", ShutdownTimeout: got.ShutdownTimeout, Drain: got.Drain, Worker: true,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	if got.Drain <= 0 || got.ShutdownTimeout <= got.Drain {
		t.Errorf("drains for %v of %v", got.Drain, got.ShutdownTimeout)
	}
}

func TestSettingsAreReadFromTheEnvironment(t *testing.T) {
	t.Parallel()
	cert, key := pair(t)
	got, err := FromEnvironment(required(
		"ADDR=127.0.0.1:1", "TLS_CERT="+cert, "TLS_KEY="+key, "REDIS_URL=redis://localhost:6379", "JWT_ISSUER=i", "JWT_AUDIENCE=a",
		"INTERNAL_TOKEN="+serviceToken+","+serviceToken, "RATE_LIMIT_RPM=0", "MAX_PENDING=3", "PENDING_TTL=24h", "REMINDER_LEADS=90s", "FEED_RETENTION=1h",
		"ALLOWED_ORIGINS=https://a.example,http://localhost:3000", "TRUSTED_PROXIES=10.0.0.0/8,fd00::/8", "MAX_CONNECTIONS=20", "MAX_CONNECTIONS_PER_ADDRESS=2",
		"DOCS=true", "PAGE=true", "LOG_LEVEL=debug", "LOG_FORMAT=text", "SHUTDOWN_TIMEOUT=1m", "PATH=/bin",
	))
	want := Settings{
		Addr: "127.0.0.1:1", TLSCert: cert, TLSKey: key, DatabaseURL: "postgres://localhost/bookings",
		RedisURL: "redis://localhost:6379", JWTSecret: testSecret, JWTIssuer: "i", JWTAudience: "a",
		InternalTokens: []string{serviceToken, serviceToken}, MaxConnections: 20, MaxEach: 2, MaxPending: 3, PendingTTL: 24 * time.Hour, ReminderLeads: []time.Duration{90 * time.Second}, FeedRetention: time.Hour,
		AllowedOrigins: []string{"https://a.example", "http://localhost:3000"},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		Docs:           true, Page: true, LogLevel: slog.LevelDebug, LogFormat: "text", ShutdownTimeout: time.Minute, TraceProtocol: "http/protobuf", Drain: got.Drain, Worker: true,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
}

func TestEachWrongSettingIsNamed(t *testing.T) {
	t.Parallel()
	for wrong, name := range map[string]string{
		"ADDR=localhost":                       "ADDR",
		"ADDR=8080":                            "ADDR",
		"ADDR=:":                               "ADDR",
		"ADDR=:70000":                          "ADDR",
		"ADDR=:nosuchservice":                  "ADDR",
		"ADDR=::1:8080":                        "ADDR",
		"ADDR=300.1.1.1:8080":                  "ADDR",
		"ADDR=no host:8080":                    "ADDR",
		"ADDR=http://localhost:8080":           "ADDR",
		"DATABASE_URL=":                        "DATABASE_URL",
		"DATABASE_URL=postgres://host:port/":   "DATABASE_URL",
		"JWT_SECRET=":                          "JWT_SECRET",
		"JWT_SECRET=" + testSecret[:31]:        "JWT_SECRET",
		"INTERNAL_TOKEN=short":                 "INTERNAL_TOKEN",
		"INTERNAL_TOKEN=" + serviceToken + ",": "INTERNAL_TOKEN",
		"INTERNAL_TOKEN=" + strings.Repeat(serviceToken+",", 2) + serviceToken: "INTERNAL_TOKEN",
		"TLS_CERT=a":                                 "TLS_KEY",
		"TLS_KEY=a":                                  "TLS_CERT",
		"REDIS_URL=http://localhost":                 "REDIS_URL",
		"RATE_LIMIT_RPM=-1":                          "RATE_LIMIT_RPM",
		"RATE_LIMIT_RPM=many":                        "RATE_LIMIT_RPM",
		"MAX_PENDING=0":                              "MAX_PENDING",
		"PENDING_TTL=-1s":                            "PENDING_TTL",
		"PENDING_TTL=999ms":                          "PENDING_TTL",
		"PENDING_TTL=8761h":                          "PENDING_TTL",
		"PENDING_TTL=1":                              "PENDING_TTL",
		"REMINDER_LEADS=-1s":                         "REMINDER_LEADS",
		"REMINDER_LEADS=10":                          "REMINDER_LEADS",
		"REMINDER_LEADS=721h":                        "REMINDER_LEADS",
		"REMINDER_LEADS=1500ms":                      "REMINDER_LEADS",
		"REMINDER_LEADS=24h,1h,24h":                  "REMINDER_LEADS",
		"REMINDER_LEADS=6h,5h,4h,3h,2h,1h":           "REMINDER_LEADS",
		"REMINDER_LEAD=24h":                          "REMINDER_LEADS",
		"ALLOWED_ORIGINS=example.com":                "ALLOWED_ORIGINS",
		"ALLOWED_ORIGINS=https://a.example/":         "ALLOWED_ORIGINS",
		"ALLOWED_ORIGINS=https://*.example":          "ALLOWED_ORIGINS",
		"TRUSTED_PROXIES=10.0.0.0":                   "TRUSTED_PROXIES",
		"MAX_CONNECTIONS=-1":                         "MAX_CONNECTIONS",
		"MAX_CONNECTIONS_PER_ADDRESS=x":              "MAX_CONNECTIONS_PER_ADDRESS",
		"LOG_LEVEL=loud":                             "LOG_LEVEL",
		"LOG_FORMAT=xml":                             "LOG_FORMAT",
		"FEED_RETENTION=-1h":                         "FEED_RETENTION",
		"SHUTDOWN_TIMEOUT=0s":                        "SHUTDOWN_TIMEOUT",
		"JWT_JWKS_URL=https://a.example":             "JWT_JWKS_URL", // beside a secret
		"ADMIN_ADDR=9090":                            "ADMIN_ADDR",
		"ADMIN_ADDR=127.0.0.1:8080":                  "ADMIN_ADDR", // ADDR is :8080
		"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318": "OTEL_EXPORTER_OTLP_ENDPOINT",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc":           "OTEL_EXPORTER_OTLP_PROTOCOL",
	} {
		_, err := FromEnvironment(required(wrong))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", wrong, err)
		} else if lines := strings.Split(err.Error(), "\n"); len(lines) != 1 {
			t.Errorf("%s: %d faults: %v", wrong, len(lines), err)
		}
	}
}

func TestEveryPlaceToListenIsTaken(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":8080", ":0", "localhost:1", "my-host_1.example:1", "127.0.0.1:1", "0.0.0.0:65535", "[::1]:1", "[fe80::1%lo]:1"} {
		if _, err := FromEnvironment(required("ADDR=" + addr)); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// pair writes a certificate and its key to files.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", server.Certificate().Raw), writePEM(t, "PRIVATE KEY", private)
}

func writeFile(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesThatAreNoCertificateAndKeyAreWrongSettings(t *testing.T) {
	t.Parallel()
	cert, key := pair(t)
	if _, err := FromEnvironment(required("TLS_CERT="+cert, "TLS_KEY="+key)); err != nil {
		t.Error(err)
	}
	for name, files := range map[string][2]string{
		"not there": {cert + "x", key}, "another file": {key, cert}, "not a key": {cert, cert},
	} {
		if _, err := FromEnvironment(required("TLS_CERT="+files[0], "TLS_KEY="+files[1])); err == nil || !strings.Contains(err.Error(), "TLS_KEY") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := FromEnvironment([]string{
		"ADDR=localhost", "JWT_SECRET=short", "INTERNAL_TOKEN=short", "TLS_CERT=a", "RATE_LIMIT_RPM=many", "MAX_CONNECTIONS=-1", "MAX_CONNECTIONS_PER_ADDRESS=-1", "MAX_PENDING=0", "REMINDER_LEADS=10",
		"ALLOWED_ORIGINS=a", "TRUSTED_PROXIES=a", "LOG_LEVEL=loud", "LOG_FORMAT=xml", "JWT_JWKS_URL=a",
	})
	if err == nil {
		t.Fatal("no fault")
	}
	for _, name := range []string{
		"ADDR", "DATABASE_URL", "JWT_SECRET", "INTERNAL_TOKEN", "TLS_CERT", "RATE_LIMIT_RPM", "MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "MAX_PENDING", "REMINDER_LEADS",
		"ALLOWED_ORIGINS", "TRUSTED_PROXIES", "LOG_LEVEL", "LOG_FORMAT", "JWT_JWKS_URL",
	} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
	if strings.Contains(err.Error(), "short") {
		t.Errorf("a secret is told:\n%v", err)
	}
}

// The help and the contract name the same settings.
func TestTheHelpExplainsEverySetting(t *testing.T) {
	t.Parallel()
	var named []string
	for line := range strings.Lines(Help()) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			t.Fatalf("no explanation: %q", line)
		}
		named = append(named, fields[0])
	}
	for _, name := range []string{
		"ADDR", "TLS_CERT", "TLS_KEY", "DATABASE_URL", "REDIS_URL", "JWT_SECRET", "JWT_PUBLIC_KEY_FILE", "JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "INTERNAL_TOKEN",
		"INTERNAL_ADDR", "INTERNAL_TLS_CERT", "INTERNAL_TLS_KEY", "INTERNAL_CLIENT_CA", "INTERNAL_CLIENT_NAMES",
		"RATE_LIMIT_RPM", "MAX_PENDING", "PENDING_TTL", "REMINDER_LEADS", "FEED_RETENTION", "ALLOWED_ORIGINS", "TRUSTED_PROXIES", "DOCS", "PAGE", "LOG_LEVEL", "LOG_FORMAT", "SHUTDOWN_TIMEOUT",
		"ADMIN_ADDR", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
	} {
		if !slices.Contains(named, name) {
			t.Errorf("%s is not explained", name)
		}
	}
}
