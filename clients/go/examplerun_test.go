package bookings_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// exampleRun lets an example have what tests have.
type exampleRun struct {
	testing.TB // nil: what is not below is not asked for

	ctx     context.Context //nolint:containedctx // as a test has one
	cleanup []func()
}

func (t *exampleRun) Helper()                  {}
func (t *exampleRun) Context() context.Context { return t.ctx }
func (t *exampleRun) Cleanup(do func())        { t.cleanup = append(t.cleanup, do) }
func (t *exampleRun) Error(args ...any)        { fmt.Println(args...) }
func (t *exampleRun) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }

// end does what is to be done at the end of a test.
func (t *exampleRun) end() {
	for _, do := range slices.Backward(t.cleanup) {
		do()
	}
}
