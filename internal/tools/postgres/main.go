// Command postgres runs a private PostgreSQL for tests that are not written in Go:
// it prints the URL of its database postgres, and ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"bookings/internal/embeddedpg"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, until io.Reader, stdout io.Writer) error {
	cluster, err := embeddedpg.Start(ctx, embeddedpg.Options{})
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	fmt.Fprintln(stdout, cluster.URL("postgres"))
	_, _ = io.Copy(io.Discard, until) // whoever reads from us has gone, however it ended
	if err := cluster.Stop(); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}
