//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "booking"
	port      = "5432" // only a part of the socket's file name: nothing listens on TCP

	readyWithin = 2 * time.Minute // the recovery after a crash can take long
	askEvery    = 15 * time.Millisecond
)

// Cluster is a running PostgreSQL of our own. Its methods may be called from
// several goroutines.
type Cluster struct {
	folder  *folder
	process *process
	stop    func() error // once
}

// Start finds PostgreSQL's programs, makes the data folder where there is none
// yet, and returns once the server answers. The context bounds the start only:
// the cluster then runs until Stop, or until this process dies.
//
// It fails when no usable PostgreSQL is found, when another process runs a
// cluster in the same Dir, when the data belong to another major version, and
// when postgres does not come up; the error then ends with the tail of its log.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	return start(ctx, options, thisMachine())
}

func start(ctx context.Context, options Options, sources sources) (_ *Cluster, err error) {
	options = options.complete()
	folder, err := openFolder(ctx, options)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, folder.close())
		}
	}()
	programs, err := sources.find(ctx, folder.runAs, options)
	if err != nil {
		return nil, err
	}
	if err := folder.initialise(ctx, programs, options); err != nil {
		return nil, err
	}
	process, err := startPostgres(ctx, folder, programs, options)
	if err != nil {
		return nil, err
	}
	cluster := &Cluster{folder: folder, process: process, stop: sync.OnceValue(func() error {
		return errors.Join(process.end(), folder.close())
	})}
	if err := cluster.awaitReady(ctx); err != nil {
		_ = process.end() // its failure is the one being reported
		return nil, fmt.Errorf("embeddedpg: postgres did not start: %w%s", err, folder.logTail())
	}
	return cluster, nil
}

// awaitReady asks until postgres lets us in: it has no other sign of being ready.
func (c *Cluster) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		connection, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			_ = connection.Close(ctx) // it has answered
			return nil
		}
		select {
		case <-c.process.done:
			return c.process.unexpectedEnd()
		case <-ctx.Done():
			return fmt.Errorf("%w, its last answer: %w", ctx.Err(), err)
		case <-time.After(askEvery):
		}
	}
}

// URL names a database of this cluster for pgx and libpq. The role is a
// superuser; the database need not exist.
func (c *Cluster) URL(database string) string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.User(superuser),
		Path:     "/" + database,
		RawQuery: url.Values{"host": {c.folder.socketDir}, "port": {port}}.Encode(),
	}
	return address.String()
}

// Done is closed when postgres has ended, for whatever reason. Stop is still to
// be called: it tells whether that was meant, and frees the folder.
func (c *Cluster) Done() <-chan struct{} { return c.process.done }

// Stop ends postgres, breaking its open connections, and removes what was
// temporary. It takes 10 seconds at most where postgres behaves. It fails when
// postgres had ended before it was told to. Every further call returns the
// first one's result.
func (c *Cluster) Stop() error { return c.stop() }
