// Package db holds the database's schema: goose migrations, embedded so that
// the program carries them, and the queries that sqlc compiles into gen/sqlc.
package db

import "embed"

// Migrations are the goose migrations, below "migrations".
//
//go:embed migrations/*.sql
var Migrations embed.FS
