package gather

import (
	"fmt"
	"runtime/debug"
)

// Recovering makes an error of a panic, with where it was: in the goroutine of a batch,
// which is nobody's own, it would end the process.
func Recovering(f func() error) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = fmt.Errorf("panic: %v\n%s", recovered, debug.Stack())
		}
	}()
	return f()
}
