package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/logview"
)

const logLong = `Log shows the persistent log of a disk: what the boot manager, the kernel and the
runtime said, boot after boot. The disk is an image or a block device, and is only
read; a machine may be running from it. On a machine that is up, the command log of
its shell does the same.`

func newLogCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show a disk's persistent log",
		Long:  logLong,
		Example: "  rayimg log show disk.img --boot -1\n  rayimg log show disk.img --level warn -n 20\n" +
			"  rayimg log export disk.img --format csv -o log.csv\n  rayimg log follow disk.img",
	}
	cmd.AddCommand(newLogShowCmd(), newLogExportCmd(), newLogStatsCmd(), newLogFollowCmd())
	return cmd
}

// logFlags say which records are wanted.
type logFlags struct {
	level, source, boot string
	all                 bool
}

func (f *logFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.level, "level", "trace", "the least level: "+strings.ToLower(strings.Join(raylog.Levels(), ", ")))
	flags.StringVar(&f.source, "source", "", "who said it, such as bootmgr, kernel or init (default everybody)")
	flags.StringVar(&f.boot, "boot", "", "one boot: 0 is the newest, -1 the one before it; or the first digits of its ID (default all)")
	flags.BoolVar(&f.all, "all", false, "also what was there before the log was cleared")
}

// query is what the flags ask of the log.
func (f *logFlags) query(ring *raylog.Ring) (q raylog.Query, err error) {
	if q.Level, err = raylog.ParseLevel(f.level); err != nil {
		return q, usage(err)
	}
	if f.boot != "" {
		if q.Boot, err = logview.Boot(ring, f.boot); err != nil {
			return q, err
		}
	}
	q.Source, q.All = f.source, f.all
	return q, nil
}

// withLog opens the log of a disk.
func withLog(name string, do func(*raylog.Ring) error) (err error) {
	disk, err := diskstate.Open(name, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disk.Close()) }()
	ring, err := disk.Log()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return do(ring)
}

func newLogShowCmd() *cobra.Command {
	var f logFlags
	var last int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DISK",
		Short: "Show the newest records",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLog(args[0], func(ring *raylog.Ring) error {
				q, err := f.query(ring)
				if err != nil {
					return err
				}
				s := logview.Show{Query: q, Last: last, Format: logview.Text, Colors: useColour(cmd.OutOrStdout())}
				if asJSON {
					s.Format = logview.JSON
				}
				return s.Recent(cmd.OutOrStdout(), ring)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().IntVarP(&last, "last", "n", 100, "so many records at most; 0: all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one record on each line")
	return cmd
}

func newLogExportCmd() *cobra.Command {
	var f logFlags
	var format, output string
	cmd := &cobra.Command{
		Use:   "export DISK",
		Short: "Write all records out",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			as, err := logview.ParseFormat(format)
			if err != nil {
				return usage(err)
			}
			return withLog(args[0], func(ring *raylog.Ring) error {
				q, err := f.query(ring)
				if err != nil {
					return err
				}
				return exportLog(cmd, ring, logview.Show{Query: q, Format: as}, output)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", "json", "json, csv or text")
	cmd.Flags().StringVarP(&output, "output", "o", "-", "file to write; - is the standard output")
	return cmd
}

// exportLog writes beside the file and renames, so that there is never half of it.
func exportLog(cmd *cobra.Command, ring *raylog.Ring, s logview.Show, output string) (err error) {
	if output == "-" {
		_, err := s.Export(cmd.OutOrStdout(), ring)
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(output), ".rayimg-log-")
	if err != nil {
		return err
	}
	n, err := s.Export(out, ring)
	if err = errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err == nil {
		err = os.Rename(out.Name(), output)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", output, err), os.Remove(out.Name()))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d records\n", output, n)
	return err
}

func newLogStatsCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats DISK",
		Short: "Show how full the log is, and what is damaged",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLog(args[0], func(ring *raylog.Ring) error { return logview.Stats(cmd.OutOrStdout(), ring, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newLogFollowCmd() *cobra.Command {
	var f logFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "follow DISK",
		Short: "Show the newest records, and those that come, until you interrupt it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLog(args[0], func(ring *raylog.Ring) error {
				q, err := f.query(ring)
				if err != nil {
					return err
				}
				s := logview.Show{Query: q, Last: followFrom, Format: logview.Text, Colors: useColour(cmd.OutOrStdout())}
				if asJSON {
					s.Format = logview.JSON
				}
				return followLog(cmd.Context(), cmd.OutOrStdout(), ring, s)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one record on each line")
	return cmd
}

const (
	followFrom  = 10 // records that follow begins with
	followPause = 500 * time.Millisecond
)

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
