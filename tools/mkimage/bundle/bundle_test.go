package bundle

import (
	"errors"
	"testing"
)

// TestContent holds with and without the tag: either both are there, or both
// say what to do.
func TestContent(t *testing.T) {
	for name, get := range map[string]func() ([]byte, error){"BootManager": BootManager, "Runtime": Runtime} {
		b, err := get()
		if len(bootManager) > 0 && (err != nil || len(b) == 0) {
			t.Errorf("%s: %d bytes, %v in a bundled build", name, len(b), err)
		}
		if len(bootManager) == 0 && !errors.Is(err, ErrNone) {
			t.Errorf("%s: error %v, want ErrNone", name, err)
		}
	}
}
