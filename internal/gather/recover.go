package gather

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrPanic is what Recovering makes of a panic.
var ErrPanic = errors.New("panic")

// Recovering makes an error of a panic, with where it was: in the goroutine of a batch,
// which is nobody's own, it would end the process.
func Recovering(f func() error) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, recovered, debug.Stack())
		}
	}()
	return f()
}
