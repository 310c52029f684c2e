package commands

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control"
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

const logHelp = `usage: log COMMAND [OPTION...]

Shows the persistent log: what the boot manager, the kernel and process 1 said,
boot after boot. rayimg log does the same on disks and images.

  show     the newest records, and how full the log is
  follow   the newest records, and those that come
  export   all records: --format json, csv or text
  level    show or set the least level that is kept, until the next start
  add      keep a message: log add [--level info] [--source NAME] MESSAGE...
  clear    begin anew; older records are shown to who asks for --all
  stats    what is in the log, and what is damaged

examples:
  log show --boot -1 --level warn
  log follow --source kernel
  log export --format csv >log.csv
  log level trace
  log add --level warn the fan is slow
  log clear --yes

exit status: 0 done, 1 not done, 2 wrong usage, 130 interrupted
`

// logOptions are the options of all verbs; each takes those that it knows.
type logOptions struct {
	json, all, yes      bool
	last                int
	level, source, boot string
	format              string
	rest                []string
}

// The options that the verbs take.
var logVerbs = map[string]struct {
	options string
	run     func(*env, logOptions) error
}{
	"show":   {"json all last level source boot", logShow},
	"follow": {"json all level source boot", logFollow},
	"export": {"all level source boot format", logExport},
	"level":  {"json", logThreshold},
	"add":    {"level source", logAdd},
	"clear":  {"yes", logClear},
	"stats":  {"json", logStats},
}

func logCommand(e *env) error {
	if len(e.args) == 0 || e.args[0] == "help" || e.args[0] == "-h" || e.args[0] == "--help" {
		_, err := fmt.Fprint(e.stdout, logHelp)
		return err
	}
	verb, ok := logVerbs[e.args[0]]
	if !ok {
		return fmt.Errorf("%w: there is no %q", control.ErrUsage, "log "+e.args[0])
	}
	o, err := parseLog(e, verb.options)
	if errors.Is(err, flag.ErrHelp) {
		_, err := fmt.Fprint(e.stdout, logHelp)
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", control.ErrUsage, err)
	}
	return verb.run(e, o)
}

// parseLog reads the options behind the verb.
func parseLog(e *env, takes string) (o logOptions, err error) {
	f := flag.NewFlagSet("log", flag.ContinueOnError)
	f.SetOutput(e.stdout)
	f.Usage = func() {}
	for _, name := range strings.Fields(takes) {
		switch name {
		case "json":
			f.BoolVar(&o.json, name, false, "")
		case "all":
			f.BoolVar(&o.all, name, false, "")
		case "yes":
			f.BoolVar(&o.yes, name, false, "")
		case "last":
			f.IntVar(&o.last, "n", 50, "")
		case "level":
			f.StringVar(&o.level, name, "", "")
		case "source":
			f.StringVar(&o.source, name, "", "")
		case "boot":
			f.StringVar(&o.boot, name, "", "")
		case "format":
			f.StringVar(&o.format, name, string(logview.JSON), "")
		}
	}
	err = f.Parse(e.args[1:])
	o.rest = f.Args()
	return o, err
}

// show is what the options ask of the log.
func (o logOptions) show(e *env, ring *raylog.Ring) (s logview.Show, err error) {
	if len(o.rest) > 0 {
		return s, fmt.Errorf("%w: %q is too much", control.ErrUsage, o.rest[0])
	}
	if o.level != "" {
		if s.Query.Level, err = raylog.ParseLevel(o.level); err != nil {
			return s, fmt.Errorf("%w: %w", control.ErrUsage, err)
		}
	}
	if o.boot != "" {
		if s.Query.Boot, err = logview.Boot(ring, o.boot); err != nil {
			return s, err
		}
	}
	s.Query.Source, s.Query.All, s.Last, s.Format = o.source, o.all, o.last, logview.Text
	if o.json {
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

func logShow(e *env, o logOptions) error {
	return withLog(e, func(ring *raylog.Ring) error {
		s, err := o.show(e, ring)
		if err != nil {
			return err
		}
		return s.Recent(e.stdout, ring)
	})
}

func logExport(e *env, o logOptions) error {
	format, err := logview.ParseFormat(o.format)
	if err != nil {
		return fmt.Errorf("%w: %w", control.ErrUsage, err)
	}
	return withLog(e, func(ring *raylog.Ring) error {
		s, err := o.show(e, ring)
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

// followPause is how often a log that is followed is looked at.
const followPause = 250 * time.Millisecond

func logFollow(e *env, o logOptions) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o.last = 10
	return withLog(e, func(ring *raylog.Ring) error {
		s, err := o.show(e, ring)
		if err != nil {
			return err
		}
		w := s.Writer(e.stdout)
		for {
			newest := ring.Newest()
			if _, err := s.Write(w, ring); err != nil {
				return err
			}
			s.Query.After, s.Last = newest, 0
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(followPause):
			}
			if err := ring.Refresh(); err != nil {
				return err
			}
		}
	})
}

func logStats(e *env, o logOptions) error {
	return withLog(e, func(ring *raylog.Ring) error { return logview.Stats(e.stdout, ring, o.json) })
}
