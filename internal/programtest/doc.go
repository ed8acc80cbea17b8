// Package programtest runs programs for tests, and servers inside the test's own, until
// the test ends. Only tests import it.
package programtest
