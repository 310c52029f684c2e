package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/logview"
)

// logs is the machine's log as the command log needs it.
type logs struct {
	open func() (ring *raylog.Ring, close func() error, err error) // for reading
	ask  func(logstore.Request) (raylog.Level, error)              // asks process 1
}

const logLong = `Log shows the persistent log: what the boot manager, the kernel and process 1
said, boot after boot. rayimg log does the same on disks and images.`

func newLog(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:  "log",
		Long: logLong,
		Example: "  log show --boot -1 --level warn\n  log follow --source kernel\n  log export --format csv >log.csv\n" +
			"  log level trace\n  log add --level warn the fan is slow\n  log clear --yes",
	}
	cmd.AddCommand(newLogShow(e), newLogFollow(e), newLogExport(e), newLogLevel(e), newLogAdd(e), newLogClear(e), newLogStats(e))
	return cmd
}

// logFlags say which records are wanted, and how.
type logFlags struct {
	level, source, boot string
	all, json           bool
	last                int
}

// add adds the options that say which records are wanted.
func (f *logFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	levelFlag(cmd, &f.level, "trace", "the least level")
	flags.StringVar(&f.source, "source", "", "who said it, such as bootmgr, kernel or init\n(default everybody)")
	flags.StringVar(&f.boot, "boot", "", "one boot: 0 is this one, -1 the one before it,\nor the first digits of its ID (default all)")
	flags.BoolVar(&f.all, "all", false, "also what was there before the log was cleared")
}

// levelFlag adds an option that is a level, and that Tab completes.
func levelFlag(cmd *cobra.Command, level *string, normally, usage string) {
	cmd.Flags().StringVar(level, "level", normally, usage+":\n"+strings.Join(levels(), ", "))
	complete(cmd, "level", levels())
}

func levels() []string {
	return strings.Split(strings.ToLower(strings.Join(raylog.Levels(), " ")), " ")
}

// show is what the options ask of the log.
func (f *logFlags) show(e *env, ring *raylog.Ring) (s logview.Show, err error) {
	if s.Query.Level, err = raylog.ParseLevel(f.level); err != nil {
		return s, cli.Usage(err)
	}
	if f.boot != "" {
		if s.Query.Boot, err = logview.Boot(ring, f.boot); err != nil {
			return s, err
		}
	}
	s.Query.Source, s.Query.All, s.Last, s.Format = f.source, f.all, f.last, logview.Text
	if f.json {
		s.Format = logview.JSON
	}
	s.Colors = e.colors()
	return s, nil
}

// colors reports whether the output goes to a terminal.
func (e *env) colors() bool {
	out, ok := e.stdout.(*output)
	if !ok {
		return false
	}
	f, ok := out.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// withLog opens the log, with all that was said up to now.
func withLog(e *env, do func(*raylog.Ring) error) (err error) {
	if _, err := e.logs.ask(logstore.Request{Verb: logstore.VerbFlush}); err != nil {
		fmt.Fprintf(e.stderr, "log: the newest lines may be missing: %v\n", err)
	}
	ring, done, err := e.logs.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return do(ring)
}

func newLogShow(e *env) *cobra.Command {
	var f logFlags
	cmd := &cobra.Command{
		Use:               "show",
		Short:             "Show the newest records, and how full the log is",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			return withLog(e, func(ring *raylog.Ring) error {
				s, err := f.show(e, ring)
				if err != nil {
					return err
				}
				return s.Recent(e.stdout, ring)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().IntVarP(&f.last, "last", "n", 50, "so many records at most; 0: all")
	jsonFlag(cmd, &f.json, "print JSON, one record on each line")
	return cmd
}

func newLogExport(e *env) *cobra.Command {
	var f logFlags
	var format string
	cmd := &cobra.Command{
		Use:               "export",
		Short:             "Write all records out",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return exportLog(e, &f, format) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", string(logview.JSON), strings.Join(formats(), ", "))
	complete(cmd, "format", formats())
	return cmd
}

func formats() (names []string) {
	for _, f := range logview.Formats() {
		names = append(names, string(f))
	}
	return names
}

func exportLog(e *env, f *logFlags, as string) error {
	format, err := logview.ParseFormat(as)
	if err != nil {
		return cli.Usage(err)
	}
	return withLog(e, func(ring *raylog.Ring) error {
		s, err := f.show(e, ring)
		if err != nil {
			return err
		}
		s.Format = format
		n, err := s.Export(e.stdout, ring)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stderr, markers.LogExported{Records: n, Format: string(format)}.Marker())
		return err
	})
}

func newLogStats(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "stats",
		Short:             "Show what is in the log, and what is damaged",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			return withLog(e, func(ring *raylog.Ring) error { return logview.Stats(e.stdout, ring, asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

// followPause is how often a log that is followed is looked at.
const followPause = 250 * time.Millisecond

func newLogFollow(e *env) *cobra.Command {
	f := logFlags{last: 10}
	cmd := &cobra.Command{
		Use:               "follow",
		Short:             "Show the newest records, and those that come, until Ctrl-C",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return withLog(e, func(ring *raylog.Ring) error {
				s, err := f.show(e, ring)
				if err != nil {
					return err
				}
				return followLog(ctx, e.stdout, ring, s)
			})
		},
	}
	f.add(cmd)
	jsonFlag(cmd, &f.json, "print JSON, one record on each line")
	return cmd
}

// followLog shows records until ctx ends.
func followLog(ctx context.Context, out io.Writer, ring *raylog.Ring, s logview.Show) error {
	return s.Follow(out, ring, func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followPause):
			return nil
		}
	})
}
