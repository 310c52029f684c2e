package commands

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/control/cli"
)

const bootmgrLong = `Bootmgr shows and changes what the boot manager remembers. rayimg bootmgr does
the same on disks and images.`

const recoveryLong = `Recovery shows what failed, and keeps the golden snapshots that the machine
falls back to. restore and drop ask before they do it.`

func newBootmgr(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:  "bootmgr",
		Long: bootmgrLong,
		Example: "  bootmgr list\n  bootmgr status --json\n  bootmgr set-oneshot rayos-safe\n" +
			"  bootmgr enable rayos\n  bootmgr recovery on",
	}
	e.thisMachine().Add(cmd, control.Bootmgr())
	return cmd
}

func newRecovery(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:  "recovery",
		Long: recoveryLong,
		Example: "  recovery status\n  recovery verify\n  recovery restore\n" +
			"  recovery restore 5f70bf18 rayos --yes\n  recovery drop",
	}
	e.thisMachine().Add(cmd, control.Recovery())
	return cmd
}

// thisMachine runs the verbs of package control on the boot disk.
func (e *env) thisMachine() cli.Side {
	return cli.Side{Open: func(_ *cobra.Command, _ string, _ bool) (*control.Call, func() error, error) {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		disk, err := e.disk(ctx)
		if err != nil {
			stop()
			return nil, nil, err
		}
		call := &control.Call{Machine: disk, Store: disk}
		if tty, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(tty.Fd())) {
			call.Ask = asker(ctx, tty, e.stdout)
		}
		return call, func() error { defer stop(); return disk.Close() }, nil
	}}
}

// asker returns a function that asks the person at a terminal. A person who
// interrupts has not answered.
func asker(ctx context.Context, tty io.Reader, out io.Writer) func(question string) (string, error) {
	lines := bufio.NewReader(tty)
	return func(question string) (string, error) {
		if _, err := io.WriteString(out, question); err != nil {
			return "", err
		}
		type answer struct {
			text string
			err  error
		}
		answers := make(chan answer, 1)
		go func() {
			text, err := lines.ReadString('\n')
			answers <- answer{strings.TrimSpace(text), err}
		}()
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case a := <-answers:
			return a.text, a.err
		}
	}
}
