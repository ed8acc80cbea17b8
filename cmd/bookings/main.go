// Command bookings is the bookings backend: the server, its worker, its
// migrations and what a developer needs to try it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"

	"bookings/internal/app"
)

// Exit codes: 2 is for words or settings that are wrong.
const (
	exitFailure = 1
	exitUsage   = 2
)

// errUsage marks an error of the caller's.
var errUsage = errors.New("usage")

// program is where the commands read and write; tests give their own.
type program struct {
	stdout  io.Writer
	stderr  io.Writer
	environ []string
	// terminal tells that a person reads stdout, who wants colours.
	terminal bool
	// rewrites tells that a person reads stderr, at a terminal.
	rewrites bool
}

type command struct {
	name string
	help string
	run  func(program, context.Context, []string) error
}

func commands() []command {
	return []command{
		{"dev", "start everything with no set-up, on a private PostgreSQL", program.dev},
		{"serve", "serve; [--worker=false] leaves reminders to a worker", program.serve},
		{"worker", "work reminders alone", program.worker},
		{"migrate", "up: bring the database's schema up to date; status: show it", program.migrate},
		{"token", "--sub ID --role customer|provider [--ttl 1h]: make a token with JWT_SECRET", program.token},
		{"listen", "--token TOKEN | --all [--type T] [--url http://…] [--after N] [--after-id ID]: print a feed as it grows", program.listen},
		{"call", "--token TOKEN [--url http://…] METHOD JSON: call a method of BookingService by gRPC", program.call},
		{"healthcheck", "[--url http://…]: exit 0 while the server is ready", program.healthcheck},
		{"version", "print the version", program.version},
	}
}

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// The first signal stops in order; with the handler gone, a second ends the
	// program at once.
	context.AfterFunc(ctx, stop)
	p := program{
		stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(),
		terminal: wantsColours(), rewrites: isatty.IsTerminal(os.Stderr.Fd()),
	}
	os.Exit(p.main(ctx, os.Args[1:]))
}

// wantsColours reports whether standard output is a terminal, where nobody has said no
// (no-color.org).
func wantsColours() bool {
	return isatty.IsTerminal(os.Stdout.Fd()) && os.Getenv("NO_COLOR") == ""
}

func (p program) main(ctx context.Context, args []string) int {
	err := p.run(ctx, args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(p.stderr, err)
		return exitUsage
	default:
		fmt.Fprintln(p.stderr, "bookings:", err)
		return exitFailure
	}
}

func (p program) run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
		p.help()
		if len(args) == 0 {
			return fmt.Errorf("%w: name a command", errUsage)
		}
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(p, ctx, args[1:])
		}
	}
	return fmt.Errorf("%w: there is no command %q; see bookings --help", errUsage, args[0])
}

func (p program) help() {
	fmt.Fprintln(p.stdout, "bookings COMMAND [FLAGS]\n\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(p.stdout, "  %-12s %s\n", c.name, c.help)
	}
	fmt.Fprintf(p.stdout, "\nSettings, from the environment (durations as 10m, lists by comma):\n%s", app.Help())
}

// flags parses a command's flags; extra is how many words may follow them.
func (p program) flags(name string, args []string, extra int, define func(*flag.FlagSet)) ([]string, error) {
	set := flag.NewFlagSet("bookings "+name, flag.ContinueOnError)
	set.SetOutput(p.stderr)
	define(set)
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if set.NArg() > extra {
		return nil, fmt.Errorf("%w: bookings %s does not take %q", errUsage, name, set.Arg(extra))
	}
	return set.Args(), nil
}

// settings reads the environment; wrong ones are a usage error that names all.
func (p program) settings() (app.Settings, error) {
	settings, err := app.FromEnvironment(p.environ)
	if err != nil {
		return settings, fmt.Errorf("%w: these settings are wrong:\n%w", errUsage, err)
	}
	return settings, nil
}
