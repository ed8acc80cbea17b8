package programtest

import (
	"strings"
	"sync"
)

// Text is what a program writes, to be read while it does.
type Text struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *Text) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(text) // never fails
	return len(text), nil
}

func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// Has is whether it has been written.
func (t *Text) Has(text string) bool { return strings.Contains(t.String(), text) }
