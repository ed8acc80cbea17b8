//go:build linux

package load

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

// script is what pgbench sends for a create.
type script struct {
	statements []string
	// variables are pgbench's, with what they stand for.
	variables []string
}

// The one create that is recorded: its values are told apart in the log by what they are.
const (
	recordedProvider = "the-provider"
	recordedCustomer = "the-customer"
	recordedKey      = "the-key"
)

// record takes the statements of one create from PostgreSQL's log.
func (w *world) record(b *testing.B) script {
	b.Helper()
	if _, err := os.Stat(pgbenchProgram()); err != nil {
		b.Skip("needs pgbench")
	}
	w.exec("ALTER DATABASE postgres SET log_min_duration_statement = 0")
	s := w.serve()
	w.exec("ALTER DATABASE postgres RESET log_min_duration_statement")
	c, err := s.dial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	bearer := token(booking.RoleCustomer, recordedCustomer)
	body := func(day int, key string) string {
		start := firstSlot.Add(-time.Duration(day) * 24 * time.Hour).Format("2006-01-02")
		return connectCall(bearer, "CreateBooking", fmt.Sprintf(
			`{"providerId":%q,"startTime":"%sT09:00:00Z","endTime":"%sT09:01:00Z","note":"a haircut","idempotencyKey":%q}`,
			recordedProvider, start, start, key))
	}
	for _, request := range []string{body(1, "another-key"), body(2, recordedKey)} {
		if _, err := c.do(request); err != nil {
			b.Fatal(err)
		}
	}
	log, err := os.ReadFile(filepath.Join(w.folder, "postgres", "postgres.log"))
	if err != nil {
		b.Fatal(err)
	}
	s.stop()
	return w.readScript(string(log))
}

var (
	// executed is a statement in the log, with its parameters.
	executed  = regexp.MustCompile(`(?s)execute [^:]*: (.*?)\n[^\n]*DETAIL:  parameters: ([^\n]*)`)
	parameter = regexp.MustCompile(`\$(\d+) = (NULL|'(?:[^']|'')*')`)
	uuidLike  = regexp.MustCompile(`^'[0-9a-f]{8}-[0-9a-f-]{27}'$`)
)

// readScript finds the statements of the create with the recorded key: from the lock of
// its provider's feed on.
func (w *world) readScript(log string) script {
	w.b.Helper()
	entries := regexp.MustCompile(`(?m)^\S+ \S+ UTC \[\d+\] LOG:  duration: `).Split(log, -1)
	var made script
	var found bool
	for i, entry := range entries {
		if !strings.Contains(entry, "{"+recordedKey+"}") {
			continue
		}
		found = true
		for _, part := range entries[i-1:] {
			match := executed.FindStringSubmatch(part)
			if match == nil || !strings.Contains(match[2], recordedProvider) && !strings.Contains(match[1], "river_job") {
				continue
			}
			made.add(match[1], match[2], w.parameterTypes(match[1]))
		}
		break
	}
	if !found || len(made.statements) < 3 {
		w.b.Fatalf("found %d statements of a create in PostgreSQL's log", len(made.statements))
	}
	return made
}

// parameterTypes are what PostgreSQL takes a statement's parameters for.
func (w *world) parameterTypes(sql string) (types []string) {
	w.b.Helper()
	conn, err := w.pool.Acquire(w.b.Context())
	if err != nil {
		w.b.Fatal(err)
	}
	defer conn.Release()
	prepared, err := conn.Conn().Prepare(w.b.Context(), "", sql)
	if err != nil {
		w.b.Fatal(err)
	}
	const names = "SELECT array_agg(oid::regtype::text ORDER BY place) FROM unnest($1::oid[]) WITH ORDINALITY AS types(oid, place)"
	if err := w.pool.QueryRow(w.b.Context(), names, prepared.ParamOIDs).Scan(&types); err != nil {
		w.b.Fatal(err)
	}
	return types
}

// add adds a statement: what differs from create to create is computed of :n, all else
// is a variable that stays.
func (s *script) add(sql, parameters string, types []string) {
	sql = strings.Join(strings.Fields(regexp.MustCompile(`(?m)--.*$`).ReplaceAllString(sql, "")), " ")
	values := map[string]string{}
	for _, match := range parameter.FindAllStringSubmatch(parameters, -1) {
		number, _ := strconv.Atoi(match[1])
		values[match[1]] = s.typed(match[2], types[number-1])
	}
	s.statements = append(s.statements, regexp.MustCompile(`\$(\d+)`).ReplaceAllStringFunc(sql, func(name string) string {
		return values[name[1:]]
	})+";")
}

// element is the one element of an array in the log.
var element = regexp.MustCompile(`^'\{"?(.*?)"?\}'$`)

// typed is an expression of a type. An array has one element, as a create has.
func (s *script) typed(value, as string) string {
	match := element.FindStringSubmatch(value)
	if match == nil || !strings.HasSuffix(as, "[]") || match[1] == "" {
		return s.expression(value) + "::" + as
	}
	if match[1] == "NULL" {
		return "ARRAY[NULL]::" + as
	}
	return "ARRAY[" + s.expression("'"+strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(match[1])+"'") + "]::" + as
}

func (s *script) expression(value string) string {
	switch {
	case value == "NULL":
		return value
	case value == "'"+recordedProvider+"'":
		return fmt.Sprintf("('bench-provider-' || :n::bigint %% %d)", providers)
	case value == "'"+recordedCustomer+"'":
		return fmt.Sprintf("('customer-' || :n::bigint %% %d)", customers)
	case value == "'"+recordedKey+"'":
		return "('key-' || :n::bigint)"
	case uuidLike.MatchString(value):
		// The booking and its event: the same id for both does no harm.
		return "md5((:n::bigint)::text)::uuid"
	case strings.HasPrefix(value, `'\x`):
		return "sha256((:n::bigint)::text::bytea)"
	case strings.Contains(value, " 09:00:00"):
		return "('2027-01-01 00:00Z'::timestamptz + :n::bigint % 1000000000 * interval '1 minute')"
	case strings.Contains(value, " 09:01:00"):
		return "('2027-01-01 00:01Z'::timestamptz + :n::bigint % 1000000000 * interval '1 minute')"
	}
	s.variables = append(s.variables, strings.ReplaceAll(value[1:len(value)-1], "''", "'"))
	return fmt.Sprintf(":v%d", len(s.variables))
}

func pgbenchProgram() string {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path
	}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench"); len(found) > 0 {
		return found[len(found)-1]
	}
	return "pgbench"
}

// pgbench runs a script about n times and answers how often a second.
func (w *world) pgbench(b *testing.B, s script, n int, pipelined bool) float64 {
	b.Helper()
	begin, end := "BEGIN;", "COMMIT;"
	if pipelined {
		begin, end = `\startpipeline`, `\endpipeline`
	}
	lines := append([]string{`\set n random(1, 1000000000000000)`, begin}, s.statements...)
	path := filepath.Join(w.folder, "create.sql")
	if err := os.WriteFile(path, []byte(strings.Join(append(lines, end), "\n")+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	args := []string{"--no-vacuum", "--protocol=prepared", "--file=" + path, fmt.Sprintf("--client=%d", workers), "--jobs=2"}
	transactions := max(n/workers, 1)
	args = append(args, fmt.Sprintf("--transactions=%d", transactions))
	for i, value := range s.variables {
		args = append(args, fmt.Sprintf("--define=v%d=%s", i+1, value))
	}
	before := w.benched()
	out, err := exec.CommandContext(b.Context(), pgbenchProgram(), append(args, w.url())...).CombinedOutput()
	match := regexp.MustCompile(`tps = ([0-9.]+)`).FindSubmatch(out)
	if err != nil || match == nil || !strings.Contains(string(out), "number of failed transactions: 0") {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	// Numbers are drawn: a slot may be taken, now and then.
	if made := w.benched() - before; made < transactions*workers*99/100 {
		b.Fatalf("pgbench has made %d bookings in %d transactions", made, transactions*workers)
	}
	rate, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

// benched is how many bookings pgbench has made that are whole, with their event in the
// provider's feed, and their job.
func (w *world) benched() (n int) {
	w.b.Helper()
	const whole = `
		SELECT count(*) FROM feed_entries
		JOIN booking_events ON booking_events.id = event_id
		JOIN bookings ON bookings.id = booking_id
		JOIN river_job ON river_job.id = reminder_job_id
		WHERE role = 'provider' AND user_id LIKE 'bench-provider-%'`
	if err := w.pool.QueryRow(w.b.Context(), whole).Scan(&n); err != nil {
		w.b.Fatal(err)
	}
	return n
}
