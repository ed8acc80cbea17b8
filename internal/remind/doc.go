// Package remind sends the reminders of bookings: a River job for each booking
// and slot, inserted in the transaction that books or moves it, and a worker
// that re-reads the booking under the same locks as every other change.
package remind
