package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/raylog"
)

// openLog opens the log of the machine below root, for reading.
func openLog(root string) (*raylog.Ring, func() error, error) {
	facts, err := bootfacts.Read(root)
	if err != nil {
		return nil, nil, err
	}
	place := logstore.InMemory(root)
	if facts.LogVolatile == "" {
		place = logstore.OnDisk(root, facts.Kernel)
	}
	return logstore.OpenReader(place, raylog.InstallLogID(facts.InstallID))
}

// logThreshold shows or sets the least level that is kept.
func logThreshold(e *env, o logOptions) error {
	request := logstore.Request{Verb: logstore.VerbLevel}
	switch len(o.rest) {
	case 0:
	case 1:
		if _, err := raylog.ParseLevel(o.rest[0]); err != nil {
			return fmt.Errorf("%w: %w", control.ErrUsage, err)
		}
		request.Level = o.rest[0]
	default:
		return fmt.Errorf("%w: log level takes one level", control.ErrUsage)
	}
	level, err := e.logs.ask(request)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(e.stdout).Encode(map[string]raylog.Level{"level": level})
	}
	_, err = fmt.Fprintf(e.stdout, "The log keeps %v and above, until the next start.\n", level)
	return err
}

// logAdd keeps a message. From level warn on it is on the disk when the command ends.
func logAdd(e *env, o logOptions) error {
	if len(o.rest) == 0 {
		return fmt.Errorf("%w: say what is to be kept", control.ErrUsage)
	}
	level := cmp.Or(o.level, "info")
	if _, err := raylog.ParseLevel(level); err != nil {
		return fmt.Errorf("%w: %w", control.ErrUsage, err)
	}
	_, err := e.logs.ask(logstore.Request{Verb: logstore.VerbAdd, Level: level, Source: cmp.Or(o.source, "shell"), Message: strings.Join(o.rest, " ")})
	return err
}

// logClear begins anew, when it was confirmed.
func logClear(e *env, o logOptions) error {
	if len(o.rest) > 0 {
		return fmt.Errorf("%w: %q is too much", control.ErrUsage, o.rest[0])
	}
	if !o.yes {
		if err := confirmClear(e); err != nil {
			return err
		}
	}
	if _, err := e.logs.ask(logstore.Request{Verb: logstore.VerbClear}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.stdout, "The log is cleared. log show --all shows what was there before, as long as nothing newer takes its place.")
	return err
}

func confirmClear(e *env) error {
	tty, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(tty.Fd())) {
		return errors.New("nobody can be asked here: add --yes to clear the log")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	answer, err := asker(ctx, tty, e.stdout)("This clears the log. Type yes to do it: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was done: the answer was not yes")
	}
	return nil
}
