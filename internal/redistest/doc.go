// Package redistest gives tests a real Redis of their own, which they may stop,
// cut and kill. Only tests import it.
package redistest
