// Package shell is the runtime's shell: mvdan.cc/sh interprets the language
// (POSIX shell with most of bash), this package reads lines from a terminal,
// with editing and history, and talks to process 1.
//
// # Control channel
//
// A shell of a console has one end of a socket pair, whose descriptor number is
// in [ControlVariable]. It writes one byte when it is ready for its first
// command and then waits for a [Refresh] byte before it shows its prompt, so that the
// marker SHELL_READY stands above it. Each later Refresh means: other lines
// were written on this console, show the prompt again. To a [Ping] it answers with
// the same byte at once, also while a command runs: it is alive.
package shell

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// ControlVariable names the environment variable with the number of the
// control channel's descriptor.
const ControlVariable = "RAYOS_CONTROL_FD"

// StartVariable names the environment variable with a command line that a shell on a
// terminal runs before it shows its first prompt.
const StartVariable = "RAYOS_SHELL_START"

// Refresh is the byte by which process 1 asks for the prompt.
const Refresh = 'r'

// Ping is the byte by which process 1 asks whether the shell is alive.
const Ping = 'p'

// Prompts for a command and for its continuation.
const (
	prompt     = "rayos# "
	morePrompt = "> "
)

// killTimeout is how long an interrupted command has before it is killed.
const killTimeout = 2 * time.Second

// Program returns the program `sh [-c COMMAND] [FILE [ARGUMENT...]]`, which returns
// the exit status. Without a command or file it reads commands from stdin. completes
// says which commands can be asked what Tab completes, as those made with cobra can.
func Program(completes func(command string) bool) func(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return func(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
		return run(args, &session{stdin: stdin, stdout: stdout, stderr: stderr, ask: askCommand(completes)})
	}
}

func run(args []string, s *session) int {
	flags := flag.NewFlagSet("sh", flag.ContinueOnError)
	flags.SetOutput(s.stderr)
	command := flags.String("c", "", "run this `command`")
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	if err := s.control.take(); err != nil {
		fmt.Fprintf(s.stderr, "sh: control channel: %v\n", err)
	}
	err := s.run(flags, *command)
	var status interp.ExitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "sh: %v\n", err)
		return 1
	}
	return 0
}

// session is one run of the shell.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	runner         *interp.Runner
	control        control
	ask            asking
}

func (s *session) run(flags *flag.FlagSet, command string) error {
	switch tty, ok := s.stdin.(*os.File); {
	case command != "":
		return s.script(strings.NewReader(command), "-c", flags.Args()[min(1, flags.NArg()):]) // the first is $0
	case flags.NArg() > 0:
		f, err := os.Open(flags.Arg(0))
		if err != nil {
			return err
		}
		defer f.Close()
		return s.script(f, flags.Arg(0), flags.Args()[1:])
	case ok && term.IsTerminal(int(tty.Fd())):
		return s.interact(tty)
	}
	return s.script(s.stdin, "", nil)
}

// start makes the interpreter. It may begin to read from stdin at once.
func (s *session) start(interactive bool, arguments []string) (err error) {
	s.runner, err = interp.New(
		interp.StdIO(s.stdin, s.stdout, s.stderr),
		interp.Interactive(interactive),
		interp.Params(append([]string{"--"}, arguments...)...),
		interp.CallHandler(callHandler),
		interp.ExecHandlers(execHandler),
	)
	return err
}

// external are commands whose names the interpreter takes for builtins: it
// does not have kill, and its help does not know our commands.
var external = map[string]string{"help": "/bin/help", "kill": "/bin/kill"}

func callHandler(_ context.Context, args []string) ([]string, error) {
	if file, ok := external[args[0]]; ok {
		args[0] = file
	}
	return args, nil
}

// execHandler runs programs as the interpreter does by itself, and has more to
// say about one that does not exist.
func execHandler(interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	execute := interp.DefaultExecHandler(killTimeout)
	return func(ctx context.Context, args []string) error {
		h := interp.HandlerCtx(ctx)
		if _, err := interp.LookPathDir(h.Dir, h.Env, args[0]); err != nil {
			fmt.Fprintf(h.Stderr, "sh: %s: no such command; help lists them\n", args[0])
			return interp.ExitStatus(statusNotFound)
		}
		return execute(ctx, args)
	}
}

// Exit statuses with a meaning (POSIX.1-2017 §2.8.2).
const (
	statusNotFound    = 127 // the command does not exist
	statusInterrupted = 130 // ended by SIGINT, of which the shell may learn a moment later
)

// script reads and runs a whole script.
func (s *session) script(r io.Reader, name string, arguments []string) error {
	program, err := syntax.NewParser().Parse(r, name)
	if err != nil {
		return err
	}
	if err := s.start(false, arguments); err != nil {
		return err
	}
	return s.runner.Run(context.Background(), program)
}

// interact reads and runs commands until the user ends the shell.
func (s *session) interact(tty *os.File) error {
	if err := s.start(true, nil); err != nil {
		return err
	}
	editor := newEditor(tty, tty, completer{ask: s.ask, path: os.Getenv("PATH"), dir: func() string { return s.runner.Dir }})
	if err := s.control.attach(editor); err != nil {
		fmt.Fprintf(s.stderr, "sh: control channel: %v\n", err)
	}
	if exit, err := s.begin(); exit {
		return err
	}
	var text string
	for {
		ask := prompt
		if text != "" {
			ask = morePrompt
		}
		line, err := editor.ReadLine(ask)
		switch {
		case errors.Is(err, errInterrupted):
			text = ""
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.stdout)
			return nil
		case err != nil:
			return err
		}
		text += line + "\n"
		program, err := syntax.NewParser().Parse(strings.NewReader(text), "")
		if syntax.IsIncomplete(err) {
			continue
		}
		text = ""
		if err != nil {
			fmt.Fprintf(s.stderr, "sh: %v\n", err)
			continue
		}
		if exit, err := s.execute(program); exit {
			return err
		}
	}
}

// begin runs the command line that the shell was started with, if there is one. No command
// inherits it.
func (s *session) begin() (exit bool, err error) {
	text, ok := os.LookupEnv(StartVariable)
	if !ok {
		return false, nil
	}
	if err := os.Unsetenv(StartVariable); err != nil {
		return true, err
	}
	program, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return true, fmt.Errorf("%s: %w", StartVariable, err)
	}
	return s.execute(program)
}

// execute runs one command line; Ctrl-C ends what runs and not the shell. exit
// is true where the shell itself is to end, with the status in err.
func (s *session) execute(program *syntax.File) (exit bool, err error) {
	ctx, stop := interruptible()
	defer stop()
	for _, statement := range program.Stmts {
		err := s.runner.Run(ctx, statement)
		var status interp.ExitStatus
		isStatus := errors.As(err, &status)
		switch {
		case ctx.Err() != nil, status == statusInterrupted:
			return false, nil
		case err != nil && !isStatus:
			// The interpreter counts this as its end, but a user goes on.
			fmt.Fprintf(s.stderr, "sh: %v\n", err)
			return false, nil
		case s.runner.Exited():
			return true, err
		}
	}
	return false, nil
}

// interruptible returns a context that ends by Ctrl-C until stop is called.
// stop does not end it: what the line has put into the background goes on.
func interruptible() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	interrupts, stopped := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		select {
		case <-interrupts:
			cancel()
		case <-stopped:
		}
	}()
	return ctx, func() { signal.Stop(interrupts); close(stopped) }
}
