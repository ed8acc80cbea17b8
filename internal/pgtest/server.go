package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/embeddedpg"
)

const (
	// urlVariable names a server to be used in place of a private one. Its
	// role needs the right to create databases.
	urlVariable = "BOOKINGS_TEST_DATABASE_URL"

	// timeZone is 5 h 45 min ahead of UTC: code that leans on the server's
	// time zone, or on whole hours, shows it.
	timeZone = "Asia/Kathmandu"

	startWithin = 5 * time.Minute // PostgreSQL may have to be fetched first
	adminWithin = time.Minute     // the tests queue for the one connection
)

// server holds the databases of one test binary.
type server struct {
	cluster *embeddedpg.Cluster // nil when the environment names a server
	base    *url.URL
	prefix  string // of the databases' names, so that binaries can share a server
	count   atomic.Int64

	// admin has one connection: cloning a template is done one at a time.
	admin *pgxpool.Pool
}

func start() (_ *server, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	s := &server{prefix: "bookings_test_" + strings.ToLower(rand.Text()[:8])}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	address := os.Getenv(urlVariable)
	if address == "" {
		if s.cluster, err = startCluster(ctx); err != nil {
			return nil, err
		}
		address = s.cluster.URL("postgres")
	}
	if err := s.connect(ctx, address); err != nil {
		return nil, err
	}
	return s, s.makeTemplate(ctx)
}

func startCluster(ctx context.Context) (*embeddedpg.Cluster, error) {
	return embeddedpg.Start(ctx, embeddedpg.Options{
		Progress: func(line string) { fmt.Fprintln(os.Stderr, "pgtest:", line) },
	})
}

func (s *server) connect(ctx context.Context, address string) (err error) {
	if s.base, err = url.Parse(address); err != nil {
		return fmt.Errorf("%s is no URL: %w", urlVariable, err)
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return fmt.Errorf("read %s: %w", urlVariable, err)
	}
	config.MaxConns = 1
	if s.admin, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	return nil
}

func (s *server) url(database string) string {
	address := *s.base
	address.Path = "/" + database
	return address.String()
}

func (s *server) stop() error {
	var failures []error
	if s.admin != nil {
		if s.cluster == nil {
			failures = append(failures, s.drop(s.template()))
		}
		s.admin.Close()
	}
	if s.cluster != nil {
		failures = append(failures, s.cluster.Stop())
	}
	return errors.Join(failures...)
}
