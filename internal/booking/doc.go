// Package booking knows what a booking is and every rule about one: who may do
// what, which change leads from which status to which, what a slot may be. It
// is pure: no I/O, no clock (the time is an argument), nothing but the standard
// library and uuid.
package booking
