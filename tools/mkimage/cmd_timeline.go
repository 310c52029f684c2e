package main

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/timeline"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

const timelineLong = `Timeline draws from the persistent log of a disk how its last boots went: what was
started and why, how long each stage took, what failed, what the watchdog did, and
how the machine recovered. The disk is an image or a block device, and is only
read; a machine may be running from it.

Each boot is a bar of the stages that it reached; with ╳ at its end it failed. Its
number is the one that rayimg log show --boot takes to show every line of it. A
time in the firmware counts from the start of the boot manager, all others from the
start of the kernel.`

// timelineFlags say what is drawn and as what.
type timelineFlags struct {
	boots  int
	svg    string
	asJSON bool
	all    bool
}

func newTimelineCmd() *cobra.Command {
	var f timelineFlags
	cmd := &cobra.Command{
		Use:   "timeline DISK",
		Short: "Draw how a disk's last boots went",
		Long:  timelineLong,
		Example: "  rayimg timeline disk.img\n  rayimg timeline /dev/sdb --boots 3 --svg boots.svg\n" +
			"  rayimg timeline disk.img --json | jq '.boots[] | select(.outcome == \"failed\")'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return usage(err)
			}
			return withLog(args[0], func(ring *raylog.Ring) error { return f.draw(cmd.OutOrStdout(), args[0], ring) })
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.boots, "boots", 10, "so many boots at most, the newest")
	flags.StringVar(&f.svg, "svg", "", "also draw them into this SVG file; - prints the picture and nothing else")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.BoolVar(&f.all, "all", false, "also what was there before the log was cleared")
	return cmd
}

func (f *timelineFlags) check() error {
	switch {
	case f.boots < 1 || f.boots > timeline.MaxBoots:
		return fmt.Errorf("--boots %d: say a number from 1 to %d", f.boots, timeline.MaxBoots)
	case f.asJSON && f.svg == "-":
		return errors.New("--json and --svg - both print; name a file for the picture")
	}
	return nil
}

// draw draws what can be read of a log. An error is also that of a part which
// cannot.
func (f *timelineFlags) draw(out io.Writer, name string, ring *raylog.Ring) error {
	reader := ring.Reader(raylog.Query{All: f.all})
	t := timeline.Last(name, timeline.Boots(records(reader)), f.boots)
	err := f.print(out, t)
	if problem := reader.Tally().Problem; problem != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w; what lies there is not in the picture", name, problem))
	}
	return err
}

func (f *timelineFlags) print(out io.Writer, t timeline.Timeline) error {
	switch f.svg {
	case "":
	case "-":
		_, err := out.Write(timeline.SVG(t))
		return err
	default:
		if err := image.WriteFile(f.svg, timeline.SVG(t)); err != nil {
			return err
		}
	}
	if f.asJSON {
		return printJSON(out, t)
	}
	return timeline.Draw(out, t, useColour(out))
}

// records are what a reader still has.
func records(r *raylog.Reader) iter.Seq[raylog.Record] {
	return func(yield func(raylog.Record) bool) {
		for rec, ok := r.Next(); ok && yield(rec); {
			rec, ok = r.Next()
		}
	}
}
