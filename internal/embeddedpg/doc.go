// Package embeddedpg runs a private PostgreSQL for as long as this process
// lives: for `bookings dev`, which keeps its data, and for tests, which throw
// theirs away.
//
// It starts the programs of an installed PostgreSQL, or of a pinned npm package
// where none is installed. The server listens on a Unix socket in a folder that
// only its owner may enter, never on TCP: two clusters never want one port, and
// no password has to be kept.
//
// The library fergusstrange/embedded-postgres is left out because it cannot
// start as root and downloads the same binaries from one host of its own choice.
package embeddedpg
