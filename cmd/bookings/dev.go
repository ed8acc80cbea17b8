package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"bookings/internal/app"
	"bookings/internal/embeddedpg"
	"bookings/internal/migrate"
)

// dev runs everything with no set-up: a private PostgreSQL below the user's
// state folder, and a server on it. Data, secret and tokens stay for the next
// start.
func (p program) dev(ctx context.Context, args []string) error {
	path := ""
	_, err := p.flags("dev", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&path, "dir", "", "where data and secret are kept; by default the user's state folder")
	})
	if err != nil {
		return err
	}
	if err := p.refusePublicKeys("bookings dev signs its tokens itself, with a secret: unset it, or use bookings serve"); err != nil {
		return err
	}
	if path == "" {
		if path, err = p.stateFolder(); err != nil {
			return err
		}
	}
	folder, err := openDevFolder(path)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	state, err := loadDevState(folder)
	if err != nil {
		return err
	}
	settings, err := p.devSettings(state)
	if err != nil {
		return err
	}
	if err := state.renewTokens(ctx, folder, settings, time.Now()); err != nil {
		return err
	}
	if p.variable("DATABASE_URL") != "" {
		return p.serveDev(ctx, state, settings)
	}
	return p.serveOnCluster(ctx, state, settings, filepath.Join(path, dataFolder))
}

// serveOnCluster serves on a PostgreSQL of our own, for as long as that runs.
func (p program) serveOnCluster(ctx context.Context, state devState, settings app.Settings, data string) error {
	told := &steps{out: p.stderr, rewrites: p.rewrites}
	cluster, err := embeddedpg.Start(ctx, embeddedpg.Options{Dir: data, Progress: told.say, Fetched: told.fetched})
	told.end()
	if err != nil {
		return err
	}
	defer func() { p.stopCluster(cluster) }()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		<-cluster.Done()
		stop(errors.New("PostgreSQL has ended"))
	}()
	settings.DatabaseURL = cluster.URL("postgres")
	return p.serveDev(ctx, state, settings)
}

func (p program) serveDev(ctx context.Context, state devState, settings app.Settings) error {
	p.progress("bringing the schema up to date")
	if err := migrate.Up(ctx, settings.DatabaseURL); err != nil {
		return err
	}
	server, err := app.New(ctx, settings, app.NewLogger(p.stderr, settings))
	if err != nil {
		return err
	}
	err = placed(server.Run(ctx, func(addr net.Addr) { p.printGuide(state, settings, addr) }))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w\nAnother program listens there: choose another place, as in ADDR=localhost:8081", err)
	}
	return err
}

// devSettings are the environment's, with what dev knows better where the
// environment says nothing. Wrong ones are named before anything is started, so
// the address of a PostgreSQL of our own is not known yet.
func (p program) devSettings(state devState) (app.Settings, error) {
	defaults := []string{
		"ADDR=localhost:8080", "JWT_SECRET=" + state.Secret, "INTERNAL_TOKEN=" + state.InternalToken, "LOG_FORMAT=text",
		"PAGE=true", "DOCS=true",
	}
	p.environ = slices.Concat(defaults, p.environ)
	if p.variable("DATABASE_URL") == "" {
		p.environ = append(p.environ, "DATABASE_URL=postgres:///of-our-own")
	}
	settings, err := p.settings()
	settings.Drain, settings.MintTokens = 0, true
	return settings, err
}

func (p program) progress(step string) { (&steps{out: p.stderr}).say(step) }

func (p program) stopCluster(cluster *embeddedpg.Cluster) {
	if err := cluster.Stop(); err != nil {
		p.progress("PostgreSQL did not stop cleanly: " + err.Error())
	}
}

// stateFolder is where the state of a user's programs belongs (XDG Base
// Directory Specification on Unix).
func (p program) stateFolder() (string, error) {
	if folder := p.variable("XDG_STATE_HOME"); folder != "" {
		return filepath.Join(folder, "bookings"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("where should data be kept? Name a folder with --dir: %w", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "bookings"), nil
	}
	return filepath.Join(home, ".local", "state", "bookings"), nil
}
