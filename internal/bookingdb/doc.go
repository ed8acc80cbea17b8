// Package bookingdb keeps bookings in PostgreSQL: the one order of locks, rows
// to bookings and back, and what the database's own rules mean to a caller.
package bookingdb
