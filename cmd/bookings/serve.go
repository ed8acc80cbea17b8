package main

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"

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
	server, err := app.New(ctx, settings, app.NewLogger(p.stdout, settings))
	if err != nil {
		return err
	}
	return server.Run(ctx, nil)
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
