// Package soak breaks things on purpose: its test runs two real servers on a
// private PostgreSQL and a real Redis, with clients that record what they are
// sent while processes are killed, connections cut and stores restarted. In the
// end each record must equal its feed. It holds tests alone.
package soak
