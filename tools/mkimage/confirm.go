package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
	"github.com/rayos/rayboot/tools/mkimage/inspect"
)

// canConfirm says whether the disk is confirmed by yes, the value of --yes, or can be at the
// terminal.
func canConfirm(stdin io.Reader, d plan.Disk, yes string) error {
	in, ok := stdin.(*os.File)
	return session.Confirmable(d, yes, ok && term.IsTerminal(int(in.Fd())))
}

// confirm asks for the disk's serial number, to do what the verb says.
func confirm(cmd *cobra.Command, verb string, d plan.Disk) error {
	fmt.Fprint(cmd.ErrOrStderr(), session.Question(verb, d))
	line, err := readLine(cmd.Context(), cmd.InOrStdin())
	if err != nil {
		return err
	}
	if !d.Confirms(line, false) {
		return session.ErrNotConfirmed
	}
	return nil
}

// readLine reads a line; an end of ctx does not wait for one.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(r).ReadString('\n')
		answers <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-answers:
		if a.err != nil && a.err != io.EOF {
			return "", fmt.Errorf("read confirmation: %w", a.err)
		}
		return a.line, nil
	}
}

// verifyWritten looks at a disk that was written as rayimg verify does.
func verifyWritten(ctx context.Context, d plan.Disk) error {
	f, size, err := openDisk(d.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	findings, err := inspect.Verify(ctx, f, size)
	if err != nil {
		return fmt.Errorf("verify %s: %w", d.Name, err)
	}
	for _, found := range findings {
		if !found.Warning {
			return fmt.Errorf("verify %s: %s: %s; install it again, and if that does not help use another disk", d.Name, found.Code, found.Text)
		}
	}
	return nil
}
