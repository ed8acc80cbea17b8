package bookings
