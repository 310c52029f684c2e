package preflight

import (
	"strings"
	"testing"
)

// A QEMU that answers is asked in the tests of whole machines.
func TestNoAnswer(t *testing.T) {
	for _, c := range []struct {
		command []string
		says    string
	}{
		{[]string{"/nowhere/qemu"}, "ask /nowhere/qemu for its version"},
		{[]string{"/bin/sh", "-c", "echo broken >&2; exit 3"}, "exit status 3: broken"},
		{[]string{"/bin/sh", "-c", "echo hello"}, `it says "hello\n"`},
	} {
		if err := Check(t.Context(), c.command, nil, false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want %q", c.command, err, c.says)
		}
	}
}
