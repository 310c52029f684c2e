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
