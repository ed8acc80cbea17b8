package pgtest

import (
	"context"
	"fmt"

	"bookings/internal/migrate"
)

func (s *server) template() string { return s.prefix + "_template" }

// makeTemplate migrates the database that the tests' are cloned from, and
// closes it: PostgreSQL does not clone a database that somebody is using.
func (s *server) makeTemplate(ctx context.Context) error {
	if err := s.execute(ctx, "CREATE DATABASE "+s.template()); err != nil {
		return err
	}
	if err := migrate.Up(ctx, s.url(s.template())); err != nil {
		return fmt.Errorf("migrate the template: %w", err)
	}
	return s.execute(ctx, "ALTER DATABASE "+s.template()+" ALLOW_CONNECTIONS false")
}

// clone makes a database like another and returns its name. Its context is not
// the test's, which must not break the connection that all tests share.
func (s *server) clone(template string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), adminWithin)
	defer cancel()
	name := fmt.Sprintf("%s_%d", s.prefix, s.count.Add(1))
	if err := s.execute(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		return "", err
	}
	// A database's settings are not cloned with it.
	return name, s.execute(ctx, "ALTER DATABASE "+name+" SET timezone = '"+timeZone+"'")
}

// drop removes a database, breaking the connections that are still open to it.
func (s *server) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminWithin)
	defer cancel()
	return s.execute(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

func (s *server) execute(ctx context.Context, sql string) error {
	if _, err := s.admin.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
