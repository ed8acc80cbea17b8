// Package app wires the server: settings, what they make, and the order in
// which it starts and stops, to be read from top to bottom.
package app
