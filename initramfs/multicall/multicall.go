// Package multicall is the table of the runtime's programs: one executable that
// is process 1, the shell, or a command, by the name under which it is called.
package multicall

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rayos/rayboot/initramfs/commands"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/guests/host"
	"github.com/rayos/rayboot/initramfs/pid1"
	"github.com/rayos/rayboot/initramfs/shell"
	"github.com/rayos/rayboot/presentation/console"
)

// program is one of the programs; args[0] is its name.
type program func(args []string, stdin io.Reader, stdout, stderr io.Writer) int

// programs returns all programs but process 1, by name.
func programs() map[string]program {
	all := map[string]program{"sh": shell.Program(commands.Completes)}
	for name, c := range commands.All() {
		all[name] = c.Main
	}
	return all
}

// internal returns the programs that no command line starts.
func internal() map[string]program {
	return map[string]program{
		guests.Service:    host.Main,
		console.GuardName: func(_ []string, in io.Reader, out, _ io.Writer) int { return console.RunGuard(in, out) },
	}
}

// Main runs the program that args[0] names, or, for the executable itself, the
// one that args[1] names. Process 1 is what the kernel starts as init.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	all := programs()
	names := slices.Sorted(maps.Keys(all))
	if os.Getpid() == 1 {
		return pid1.Main(names)
	}
	if len(args) > 0 && filepath.Base(args[0]) == "init" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintf(stderr, "usage: init COMMAND [ARGUMENT...]; this program is process 1 of RayOS, and its commands\n")
		return 2
	}
	maps.Copy(all, internal())
	run, ok := all[filepath.Base(args[0])]
	if !ok {
		fmt.Fprintf(stderr, "%s: no such command; help lists them\n", args[0])
		return 127
	}
	return run(args, stdin, stdout, stderr)
}
