// Package pgtest gives each test that asks for one a database of its own on a
// real PostgreSQL, with our migrations applied. Only tests import it.
//
// A test binary that uses it starts one private server at the first use, or
// takes the one that BOOKINGS_TEST_DATABASE_URL names, migrates one template
// database, and clones that for each test. Its TestMain calls Main:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
package pgtest
