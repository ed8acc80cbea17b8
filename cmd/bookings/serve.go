package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"runtime/debug"
	"syscall"

	"bookings/internal/app"
	"bookings/internal/migrate"
)

func (p program) serve(ctx context.Context, args []string) error {
	worker := true
	_, err := p.flags("serve", args, 0, func(f *flag.FlagSet) {
		f.BoolVar(&worker, "worker", true, "work reminders here too")
	})
	if err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	settings.Worker = worker
	if p.variable("GOGC") == "" {
		leaveRoom()
	}
	server, err := app.New(ctx, settings, app.NewLogger(p.stdout, settings))
	if err != nil {
		return err
	}
	return placed(server.Run(ctx, nil))
}

// placed is a server's failure: of the settings, where this machine has no such
// place to listen, which shows only when it is tried.
func placed(err error) error {
	var unknown *net.DNSError
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.As(err, &unknown) && unknown.IsNotFound {
		return fmt.Errorf("%w: these settings are wrong:\n%w", errUsage, err)
	}
	return err
}

func (p program) worker(ctx context.Context, args []string) error {
	if _, err := p.flags("worker", args, 0, func(*flag.FlagSet) {}); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return app.RunWorker(ctx, settings, app.NewLogger(p.stdout, settings))
}

func (p program) migrate(ctx context.Context, args []string) error {
	words, err := p.flags("migrate", args, 1, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	databaseURL := p.variable("DATABASE_URL")
	if databaseURL == "" {
		return fmt.Errorf("%w: DATABASE_URL: is required", errUsage)
	}
	switch {
	case len(words) == 1 && words[0] == "up":
		return migrate.Up(ctx, databaseURL)
	case len(words) == 1 && words[0] == "status":
		lines, err := migrate.Status(ctx, databaseURL)
		for _, line := range lines {
			fmt.Fprintln(p.stdout, line)
		}
		return err
	default:
		return fmt.Errorf("%w: bookings migrate up, or bookings migrate status", errUsage)
	}
}

func (p program) version(_ context.Context, args []string) error {
	if _, err := p.flags("version", args, 0, func(*flag.FlagSet) {}); err != nil {
		return err
	}
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version + " " + info.GoVersion
	}
	_, err := fmt.Fprintln(p.stdout, "bookings", version)
	return err
}
