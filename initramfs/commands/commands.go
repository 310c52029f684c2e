// Package commands is the table of the shell's commands: u-root's core commands
// and small ones of our own, which ask the kernel directly.
package commands

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/u-root/u-root/pkg/core"
	"github.com/u-root/u-root/pkg/core/base64"
	"github.com/u-root/u-root/pkg/core/cat"
	"github.com/u-root/u-root/pkg/core/chmod"
	"github.com/u-root/u-root/pkg/core/cp"
	"github.com/u-root/u-root/pkg/core/find"
	"github.com/u-root/u-root/pkg/core/gzip"
	"github.com/u-root/u-root/pkg/core/ls"
	"github.com/u-root/u-root/pkg/core/mkdir"
	"github.com/u-root/u-root/pkg/core/mktemp"
	"github.com/u-root/u-root/pkg/core/mv"
	"github.com/u-root/u-root/pkg/core/rm"
	"github.com/u-root/u-root/pkg/core/shasum"
	"github.com/u-root/u-root/pkg/core/tar"
	"github.com/u-root/u-root/pkg/core/touch"
	"github.com/u-root/u-root/pkg/core/xargs"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/initramfs/watchdog"
	"github.com/rayos/rayboot/raylog"
)

// Command is one command of the shell.
type Command struct {
	Summary   string // one line for help
	Completes bool   // it is asked what Tab completes, as every cobra command can be
	run       func(env *env) error
}

// env is what a command is called with.
type env struct {
	name           string
	args           []string // without the name
	stdin          io.Reader
	stdout, stderr io.Writer
	root           fs.FS // the machine's files, for reading
	kernel         kernel
	disk           func(ctx context.Context) (*livedisk.Disk, error) // opens the boot disk
	watchdog       func(watchdog.Request) (watchdog.Status, error)   // asks process 1
	logs           logs
	services       func(service.Request) ([]service.State, error) // asks process 1
	guests         func(guests.Request) (guests.Answer, error)    // asks the program that runs guests
}

// Errors that the user is not told: the exit status says it.
var (
	errUsage   = errors.New("bad usage") // the usage was shown
	errNoMatch = errors.New("no line matches")
)

// flags returns an empty set of flags whose usage text is the given line.
func (e *env) flags(usage string) *flag.FlagSet {
	f := flag.NewFlagSet(e.name, flag.ContinueOnError)
	f.SetOutput(e.stderr)
	f.Usage = func() {
		fmt.Fprintln(e.stderr, "usage:", e.name, usage)
		f.PrintDefaults()
	}
	return f
}

// parse parses the flags and checks how many arguments follow them; most is
// negative for any number.
func (e *env) parse(f *flag.FlagSet, least, most int) error {
	if err := f.Parse(e.args); err != nil {
		return errUsage
	}
	if n := f.NArg(); n < least || most >= 0 && n > most {
		f.Usage()
		return errUsage
	}
	return nil
}

// Main runs the command and returns its exit status: 0, 1 with the error on
// stderr, 2 for bad usage, or 130 for an interrupt that the command has noticed.
func (c Command) Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return c.main(&env{
		name: args[0], args: args[1:], stdin: stdin, stdout: stdout, stderr: stderr,
		root: os.DirFS("/"), kernel: linux{}, disk: bootDisk,
		watchdog: func(r watchdog.Request) (watchdog.Status, error) { return watchdog.Ask("/", r) },
		logs: logs{
			open: func() (*raylog.Ring, func() error, error) { return openLog("/") },
			ask:  func(r logstore.Request) (raylog.Level, error) { return logstore.Ask("/", r) },
		},
		services: func(r service.Request) ([]service.State, error) { return service.Ask("/", r) },
		guests:   func(r guests.Request) (guests.Answer, error) { return guests.Ask("/", r) },
	})
}

func bootDisk(ctx context.Context) (*livedisk.Disk, error) {
	return livedisk.Open(ctx, "/", nil)
}

// Exit statuses with a meaning.
const (
	statusUsage       = 2
	statusInterrupted = 130 // as a shell reports the end by SIGINT
)

func (c Command) main(e *env) int {
	out := &output{w: e.stdout}
	e.stdout = out
	err := c.run(e)
	if err == nil {
		err = out.err
	}
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, errUsage):
		return statusUsage
	case errors.Is(err, errNoMatch):
		return 1
	}
	fmt.Fprintf(e.stderr, "%s: %v\n", e.name, err)
	switch {
	case errors.Is(err, control.ErrUsage):
		fmt.Fprintf(e.stderr, "see %s --help\n", e.name)
		return statusUsage
	case errors.Is(err, context.Canceled):
		return statusInterrupted
	}
	return 1
}

// output remembers the first error of writing: output that is lost, as on a
// full disk, makes the command fail.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// fromCore makes a command of one of u-root's.
func fromCore(summary string, create func() core.Command) Command {
	return Command{Summary: summary, run: func(e *env) error {
		c := create()
		c.SetIO(e.stdin, e.stdout, e.stderr)
		c.SetLookupEnv(os.LookupEnv)
		return c.RunContext(context.Background(), e.args...)
	}}
}

// Completes reports whether a command can be asked what Tab completes.
func Completes(name string) bool { return All()[name].Completes }

// All returns the commands by name. Those of this machine are made of cobra
// commands, the small ones of every Unix read their options as those do there.
func All() map[string]Command {
	return map[string]Command{
		"base64": fromCore("encode or decode base64", base64.New),
		"cat":    fromCore("write files to the output", cat.New),
		"chmod":  fromCore("change file modes", chmod.New),
		"cp":     fromCore("copy files", cp.New),
		"find":   fromCore("look for files", find.New),
		"gunzip": fromCore("decompress gzip files", func() core.Command { return gzip.New("gunzip") }),
		"gzip":   fromCore("compress files", func() core.Command { return gzip.New("gzip") }),
		"ls":     fromCore("list directories", ls.New),
		"mkdir":  fromCore("make directories", mkdir.New),
		"mktemp": fromCore("make a temporary file", mktemp.New),
		"mv":     fromCore("move files", mv.New),
		"rm":     fromCore("remove files", rm.New),
		"shasum": fromCore("print digests of files", shasum.New),
		"tar":    fromCore("pack and unpack tar archives", tar.New),
		"touch":  fromCore("create files or change their times", touch.New),
		"xargs":  fromCore("run a command with arguments from the input", xargs.New),

		"bootmgr":  fromCobra("show and change what the boot manager remembers", newBootmgr),
		"df":       {Summary: "show how full the mounted file systems are", run: df},
		"dmesg":    {Summary: "print the kernel's log", run: dmesg},
		"free":     {Summary: "show the use of memory", run: free},
		"guest":    fromCobra("start and stop the guests of this machine", newGuest),
		"grep":     {Summary: "print the lines that match an expression", run: grep},
		"head":     {Summary: "print the first lines", run: head},
		"help":     {Summary: "list the commands", run: help},
		"hexdump":  {Summary: "print bytes in hexadecimal", run: hexdump},
		"install":  fromCobra("install RayOS from the boot disk onto another one", newInstall),
		"kill":     {Summary: "send a signal to processes", run: kill},
		"ln":       {Summary: "make links", run: ln},
		"log":      fromCobra("show the persistent log", newLog),
		"lsblk":    {Summary: "list disks and partitions", run: lsblk},
		"lsmod":    {Summary: "list the loaded kernel modules", run: lsmod},
		"mount":    {Summary: "list or make mounts", run: mount},
		"poweroff": {Summary: "turn the machine off", run: poweroff},
		"ps":       {Summary: "list processes", run: ps},
		"reboot":   {Summary: "restart the machine", run: reboot},
		"recovery": fromCobra("show failures, and keep golden snapshots", newRecovery),
		"services": fromCobra("show and change what process 1 keeps running", newServices),
		"show":     fromCobra("show a guest on the machine's screen", newShow),
		"sleep":    {Summary: "wait", run: sleep},
		"stages":   fromCobra("show the boot stages of the last boots", newStages),
		"sync":     {Summary: "write everything to the disks", run: syncDisks},
		"tail":     {Summary: "print the last lines", run: tail},
		"umount":   {Summary: "undo mounts", run: umount},
		"uname":    {Summary: "print the system's name and version", run: uname},
		"watchdog": fromCobra("show and change what the hardware watchdog does", newWatchdog),
		"wc":       {Summary: "count lines, words and bytes", run: wc},
	}
}
