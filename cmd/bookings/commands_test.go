package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
)

func readAll(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestWrongWordsAndSettingsExitWithTwoAndSayAll(t *testing.T) {
	t.Parallel()
	wrong := []string{
		"JWT_SECRET=short", "INTERNAL_TOKEN=short", "RATE_LIMIT_RPM=many", "REMINDER_LEADS=10", "TLS_CERT=cert.pem",
		"ADDR=localhost", "REDIS_URL=http://nowhere", "LOG_FORMAT=xml", "ALLOWED_ORIGINS=example.com", "TRUSTED_PROXIES=everyone", "JWT_JWKS_URL=https://keys.example",
	}
	for name, test := range map[string]struct {
		environ []string
		args    []string
		says    []string
	}{
		"no command":       {nil, nil, []string{"name a command"}},
		"unknown command":  {nil, []string{"fly"}, []string{"fly"}},
		"unknown flag":     {nil, []string{"token", "--for"}, []string{"-for"}},
		"word too many":    {nil, []string{"version", "twice"}, []string{"twice"}},
		"migrate sideways": {[]string{"DATABASE_URL=postgres:///x"}, []string{"migrate", "sideways"}, []string{"migrate up"}},
		"nothing set":      {nil, []string{"serve"}, []string{"DATABASE_URL", "JWT_SECRET"}},
		"everything wrong": {wrong, []string{"serve"}, []string{
			"DATABASE_URL", "JWT_SECRET", "INTERNAL_TOKEN", "RATE_LIMIT_RPM", "REMINDER_LEADS", "TLS_KEY", "ADDR",
			"REDIS_URL", "LOG_FORMAT", "ALLOWED_ORIGINS", "TRUSTED_PROXIES", "JWT_JWKS_URL",
		}},
		"nowhere to listen": {[]string{"DATABASE_URL=postgres:///x", "JWT_SECRET=" + testSecret, "ADDR=192.0.2.1:0"}, []string{"serve"}, []string{"ADDR"}},
		"nobody to check":   {[]string{"ADDR=localhost"}, []string{"healthcheck"}, []string{"ADDR"}},
		"no certificate":    {[]string{"TLS_CERT=/nowhere"}, []string{"healthcheck"}, []string{"TLS_CERT"}},
		"worker too":        {nil, []string{"worker"}, []string{"DATABASE_URL"}},
		"token for a JWKS":  {[]string{"JWT_JWKS_URL=https://keys.example"}, []string{"token", "--sub", "a", "--role", "customer"}, []string{"JWT_JWKS_URL", "JWT_SECRET"}},
		"token for a file":  {[]string{"JWT_PUBLIC_KEY_FILE=key.pem"}, []string{"token", "--sub", "a", "--role", "customer"}, []string{"JWT_PUBLIC_KEY_FILE"}},
		"dev with a JWKS":   {[]string{"JWT_JWKS_URL=https://keys.example", "HOME=/nowhere"}, []string{"dev"}, []string{"JWT_JWKS_URL", "serve"}},
		"listen to nobody":  {nil, []string{"listen"}, []string{"--token", "--all"}},
		"listen as both":    {nil, []string{"listen", "--all", "--token", "x"}, []string{"--token", "--all"}},
		"listen without":    {nil, []string{"listen", "--all"}, []string{"INTERNAL_TOKEN"}},
		"listen nowhere":    {nil, []string{"listen", "--token", "x", "--url", "localhost:8080"}, []string{"--url", "localhost:8080"}},
		"listen after word": {nil, []string{"listen", "--token", "x", "--after", "now"}, []string{"-after", "now"}},
		"token for nobody":  {[]string{"JWT_SECRET=" + testSecret}, []string{"token", "--role", "customer"}, []string{"sub"}},
		"token for a king":  {[]string{"JWT_SECRET=" + testSecret}, []string{"token", "--sub", "a", "--role", "king"}, []string{"role"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := once(t, test.environ, test.args...)
			if code != exitUsage {
				t.Errorf("exit code is %d, want %d; stderr:\n%s", code, exitUsage, stderr)
			}
			for _, text := range test.says {
				if !strings.Contains(stderr, text) {
					t.Errorf("stderr does not say %q:\n%s", text, stderr)
				}
			}
		})
	}
}

func TestHelpNamesEveryCommandAndSetting(t *testing.T) {
	t.Parallel()
	code, stdout, _ := once(t, nil, "--help")
	if code != 0 {
		t.Errorf("exit code is %d", code)
	}
	for _, c := range commands() {
		if !strings.Contains(stdout, c.name) {
			t.Errorf("help does not name %s", c.name)
		}
	}
	for _, setting := range []string{"ADDR", "DATABASE_URL", "JWT_SECRET", "REMINDER_LEADS", "TRUSTED_PROXIES"} {
		if !strings.Contains(stdout, setting) {
			t.Errorf("help does not name %s", setting)
		}
	}
}

func TestTokensOfTheCommandAreGood(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := once(t, []string{"JWT_SECRET=" + testSecret}, "token", "--sub", "bob", "--role", "provider", "--ttl", "2h")
	if code != 0 {
		t.Fatalf("exit code is %d: %s", code, stderr)
	}
	verifier := identity.New(identity.Options{Keys: identity.Secret(testSecret), Now: time.Now})
	caller, err := verifier.VerifyBearer(t.Context(), strings.TrimSpace(stdout))
	if err != nil || caller.Actor != (booking.Actor{Role: booking.RoleProvider, ID: "bob"}) {
		t.Errorf("the token is of %+v, %v", caller, err)
	}
}

func TestManyProcessesMigrateOnce(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if code, _, stderr := once(t, []string{"DATABASE_URL=" + databaseURL}, "migrate", "up"); code != 0 {
				t.Errorf("exit code is %d: %s", code, stderr)
			}
		})
	}
	all.Wait()
	if _, stdout, _ := once(t, []string{"DATABASE_URL=" + databaseURL}, "migrate", "status"); !strings.Contains(stdout, "applied") {
		t.Errorf("status is %q", stdout)
	}
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	if code, stdout, _ := once(t, nil, "version"); code != 0 || !strings.HasPrefix(stdout, "bookings ") {
		t.Errorf("exit code is %d, version %q", code, stdout)
	}
}
