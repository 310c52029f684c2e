package commands

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control"
)

// operator is a command for operators, with the verbs of package control.
type operator struct {
	verbs    []control.Command
	does     string
	examples []string
}

func bootmgr(e *env) error {
	return operator{
		verbs: control.Bootmgr(),
		does:  "Shows and changes what the boot manager remembers. `rayimg bootmgr` does the same on disks and images.",
		examples: []string{
			"bootmgr list", "bootmgr status --json", "bootmgr set-oneshot rayos-safe", "bootmgr enable rayos", "bootmgr recovery on",
		},
	}.run(e)
}

func recovery(e *env) error {
	return operator{
		verbs:    control.Recovery(),
		does:     "Shows what failed, and keeps the golden snapshots that the machine falls back to. restore and drop ask before they do it.",
		examples: []string{"recovery status", "recovery verify", "recovery restore", "recovery restore 5f70bf18 rayos --yes", "recovery drop"},
	}.run(e)
}

// run executes one command line.
func (o operator) run(e *env) (err error) {
	call, verb, err := o.parse(e)
	if err != nil || verb == nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	disk, err := e.disk(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disk.Close()) }()
	call.Machine, call.Store, call.Out = disk, disk, e.stdout
	if tty, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(tty.Fd())) {
		call.Ask = asker(ctx, tty, e.stdout)
	}
	return verb.Do(call)
}

// parse reads the arguments; options may stand anywhere. Where help was asked
// for, it is shown and there is no verb.
func (o operator) parse(e *env) (*control.Call, *control.Command, error) {
	call := &control.Call{}
	help := false
	for _, arg := range e.args {
		switch arg {
		case "--json", "-json":
			call.JSON = true
		case "--yes", "-yes", "-y":
			call.Yes = true
		case "--help", "-help", "-h":
			help = true
		default:
			if strings.HasPrefix(arg, "-") {
				return nil, nil, fmt.Errorf("%w: there is no option %s", control.ErrUsage, arg)
			}
			call.Args = append(call.Args, arg)
		}
	}
	if help || len(call.Args) == 0 || call.Args[0] == "help" {
		return nil, nil, o.help(e)
	}
	verb := control.Find(o.verbs, call.Args[0])
	if verb == nil {
		return nil, nil, fmt.Errorf("%w: there is no %q", control.ErrUsage, e.name+" "+call.Args[0])
	}
	if call.Yes && !verb.Asks {
		return nil, nil, fmt.Errorf("%w: %s asks nothing, so --yes means nothing", control.ErrUsage, verb.Name)
	}
	call.Args = call.Args[1:]
	return call, verb, nil
}

// help shows what the command does.
func (o operator) help(e *env) error {
	fmt.Fprintf(e.stdout, "usage: %s COMMAND [ARGUMENT...] [--json]%s\n\n%s\n\n", e.name, o.yes(), o.does)
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, v := range o.verbs {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(v.Name+" "+v.Args), v.Short)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "\nexamples:\n  %s\n\nexit status: 0 done, 1 not done, 2 wrong usage, 3 verify found problems, 130 interrupted\n", strings.Join(o.examples, "\n  "))
	return nil
}

func (o operator) yes() string {
	if slices.ContainsFunc(o.verbs, func(v control.Command) bool { return v.Asks }) {
		return " [--yes]"
	}
	return ""
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
