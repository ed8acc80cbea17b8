package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"bookings/internal/app"
)

// guide is what dev prints once it serves. A test runs its commands.
var guide = template.Must(template.New("guide").Parse(`
{{if .Page}}Open {{.URL}} to book as two people, side by side    (Ctrl-C stops it; data are kept)
{{else}}bookings is ready at {{.URL}}    (Ctrl-C stops it; data are kept)
{{end}}{{if .Docs}}
Read about its API, and try it, at {{.URL}}/docs
{{end}}
Two people to try it with: the customer alice and the provider bob.

  CUSTOMER={{.CustomerToken}}
  PROVIDER={{.ProviderToken}}

Watch what happens, in another terminal:

  {{.Program}} listen --url {{.URL}} --token {{.ProviderToken}}
{{with .InternalTokens}}
Watch everything, as a service that sends e-mails would (examples/mailer); --type booking.reminder.due leaves out all else:

  INTERNAL_TOKEN={{index . 0}} {{$.Program}} listen --url {{$.URL}} --all
{{end}}
Book as alice, with curl; again it is the same booking, thanks to the key:

  curl -s {{.URL}}/bookings.v1.BookingService/CreateBooking -H 'Content-Type: application/json' -H 'Authorization: Bearer {{.CustomerToken}}' -d '{"providerId": "bob", "startTime": "{{.Start}}", "endTime": "{{.End}}", "idempotencyKey": "try-{{.Start}}"}'

List as bob, with REST:

  curl -s {{.URL}}/v1/bookings -H 'Authorization: Bearer {{.ProviderToken}}'

List as alice, with gRPC:

  {{.Program}} call --url {{.URL}} --token {{.CustomerToken}} ListBookings '{}'

`))

func (p program) printGuide(state devState, settings app.Settings, addr net.Addr) {
	start := time.Now().UTC().AddDate(0, 0, 1).Truncate(time.Hour)
	err := guide.Execute(p.stdout, map[string]any{
		"URL":            address(settings, addr),
		"InternalTokens": settings.InternalTokens,
		"Page":           settings.Page,
		"Docs":           settings.Docs,
		"CustomerToken":  state.CustomerToken,
		"ProviderToken":  state.ProviderToken,
		"Program":        invocation(),
		"Start":          start.Format(time.RFC3339),
		"End":            start.Add(time.Hour).Format(time.RFC3339),
	})
	if err != nil {
		p.progress("cannot print what to try: " + err.Error())
	}
}

// address is where this machine finds the server: one that listens on every address has
// none that could be opened.
func address(settings app.Settings, addr net.Addr) string {
	scheme, place := "http://", addr.String()
	if settings.TLSCert != "" {
		scheme = "https://"
	}
	if host, port, err := net.SplitHostPort(place); err == nil && net.ParseIP(host).IsUnspecified() {
		place = net.JoinHostPort("localhost", port)
	}
	return scheme + place
}

// invocation is how this program is called: by go run it has no name that stays.
func invocation() string {
	if filepath.Base(filepath.Dir(os.Args[0])) == "exe" && strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/bookings"
	}
	return os.Args[0]
}
