package logstore

import (
	"errors"
	"testing"
)

// TestAnErrorIsToldOnce has a medium that fails, recovers and fails again.
func TestAnErrorIsToldOnce(t *testing.T) {
	broken := errors.New("broken")
	l := &Log{}
	for i, c := range []struct{ err, want error }{{nil, nil}, {broken, broken}, {broken, nil}, {nil, nil}, {broken, broken}} {
		if got := l.once(c.err); !errors.Is(got, c.want) || c.want == nil && got != nil {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}
