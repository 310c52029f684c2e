// Package preflight asks a QEMU, before it is started for a guest, whether it is one
// that can do it. What it must be able to do is decided by package guest.
package preflight

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/rayos/rayboot/guest"
)

// Check starts QEMU to ask for its version. command is the program with its first
// arguments, env is added to this process's environment. It fails with
// [guest.ErrVersion] for one that is too old.
func Check(ctx context.Context, command, env []string, kvm bool) error {
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], "--version")...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	said, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w: %s", command[0], err, strings.TrimSpace(stderr.String()))
	}
	return guest.CheckVersion(string(said), kvm)
}
