// Package bookingdb keeps bookings in PostgreSQL: the one order of locks, and
// rows to bookings and back. What the database's own rules mean to a caller is in
// package pgerror.
package bookingdb
