// Package commands is the table of the shell's commands: u-root's core commands
// and small ones of our own, which ask the kernel directly.
package commands

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/u-root/u-root/pkg/core"
	"github.com/u-root/u-root/pkg/core/base64"
	"github.com/u-root/u-root/pkg/core/cat"
	"github.com/u-root/u-root/pkg/core/chmod"
	"github.com/u-root/u-root/pkg/core/cp"
	"github.com/u-root/u-root/pkg/core/find"
	"github.com/u-root/u-root/pkg/core/ls"
	"github.com/u-root/u-root/pkg/core/mkdir"
	"github.com/u-root/u-root/pkg/core/mktemp"
	"github.com/u-root/u-root/pkg/core/mv"
	"github.com/u-root/u-root/pkg/core/rm"
	"github.com/u-root/u-root/pkg/core/shasum"
	"github.com/u-root/u-root/pkg/core/tar"
	"github.com/u-root/u-root/pkg/core/touch"
	"github.com/u-root/u-root/pkg/core/xargs"
)

// Command is one command of the shell.
type Command struct {
	Summary string // one line for help
	run     func(env *Env) error
}

// Env is what a command is called with.
type Env struct {
	Name           string
	Args           []string // without the name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main runs the command and returns its exit status: 0, or 1 with the error on
// stderr.
func (c Command) Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &Env{Name: args[0], Args: args[1:], Stdin: stdin, Stdout: stdout, Stderr: stderr}
	if err := c.run(env); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", env.Name, err)
		return 1
	}
	return 0
}

// fromCore makes a command of one of u-root's.
func fromCore(summary string, create func() core.Command) Command {
	return Command{Summary: summary, run: func(env *Env) error {
		c := create()
		c.SetIO(env.Stdin, env.Stdout, env.Stderr)
		c.SetLookupEnv(os.LookupEnv)
		return c.RunContext(context.Background(), env.Args...)
	}}
}

// All returns the commands by name.
func All() map[string]Command {
	return map[string]Command{
		"base64": fromCore("encode or decode base64", base64.New),
		"cat":    fromCore("write files to the output", cat.New),
		"chmod":  fromCore("change file modes", chmod.New),
		"cp":     fromCore("copy files", cp.New),
		"find":   fromCore("look for files", find.New),
		"ls":     fromCore("list directories", ls.New),
		"mkdir":  fromCore("make directories", mkdir.New),
		"mktemp": fromCore("make a temporary file", mktemp.New),
		"mv":     fromCore("move files", mv.New),
		"rm":     fromCore("remove files", rm.New),
		"shasum": fromCore("print digests of files", shasum.New),
		"tar":    fromCore("pack and unpack tar archives", tar.New),
		"touch":  fromCore("create files or change their times", touch.New),
		"xargs":  fromCore("run a command with arguments from the input", xargs.New),
	}
}
