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
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/initramfs/pid1"
	"github.com/rayos/rayboot/initramfs/watchdog"
	"github.com/rayos/rayboot/raylog"
)

// Command is one command of the shell.
type Command struct {
	Summary string // one line for help
	run     func(env *env) error
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
	services       func() ([]byte, error) // asks process 1
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
		services: func() ([]byte, error) { return packet.Ask("/"+pid1.ServicesSocket, []byte("{}")) },
	})
}

func bootDisk(ctx context.Context) (*livedisk.Disk, error) {
	return livedisk.Open(ctx, "/", nil)
}

// statusInterrupted is how a shell reports the end by SIGINT.
const statusInterrupted = 130

func (c Command) main(e *env) int {
	out := &output{w: e.stdout}
	e.stdout = out
	err := c.run(e)
	if err == nil {
		err = out.err
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, errNoMatch):
		return 1
	}
	fmt.Fprintf(e.stderr, "%s: %v\n", e.name, err)
	switch {
	case errors.Is(err, control.ErrUsage):
		fmt.Fprintf(e.stderr, "see %s --help\n", e.name)
		return 2
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

// All returns the commands by name.
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

		"bootmgr":  {"show and change what the boot manager remembers", bootmgr},
		"df":       {"show how full the mounted file systems are", df},
		"dmesg":    {"print the kernel's log", dmesg},
		"free":     {"show the use of memory", free},
		"grep":     {"print the lines that match an expression", grep},
		"head":     {"print the first lines", head},
		"help":     {"list the commands", help},
		"hexdump":  {"print bytes in hexadecimal", hexdump},
		"kill":     {"send a signal to processes", kill},
		"ln":       {"make links", ln},
		"log":      {"show the persistent log", logCommand},
		"lsblk":    {"list disks and partitions", lsblk},
		"lsmod":    {"list the loaded kernel modules", lsmod},
		"mount":    {"list or make mounts", mount},
		"poweroff": {"turn the machine off", poweroff},
		"ps":       {"list processes", ps},
		"reboot":   {"restart the machine", reboot},
		"recovery": {"show failures, and keep golden snapshots", recovery},
		"services": {"show what process 1 keeps running", services},
		"sleep":    {"wait", sleep},
		"stages":   {"show the boot stages of the last boots", stages},
		"sync":     {"write everything to the disks", syncDisks},
		"tail":     {"print the last lines", tail},
		"umount":   {"undo mounts", umount},
		"uname":    {"print the system's name and version", uname},
		"watchdog": {"show and change what the hardware watchdog does", watchdogCommand},
		"wc":       {"count lines, words and bytes", wc},
	}
}
