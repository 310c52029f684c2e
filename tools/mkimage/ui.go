package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rayos/rayboot/installer/write"
)

// ui tells the user how the work goes on: with a bar on a terminal, with one
// plain line for each step elsewhere. It writes to standard error, so that standard
// output holds results only.
type ui struct {
	w        io.Writer
	terminal bool
	step     string
	bar      *progressbar.ProgressBar
}

func newUI(cmd *cobra.Command) *ui {
	w := cmd.ErrOrStderr()
	return &ui{w: w, terminal: isTerminal(w)}
}

// isTerminal says whether what is written to w is seen at once.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress says how far a step is; totalBytes is 0 where it is not known.
func (u *ui) progress(step string, doneBytes, totalBytes int64) {
	if step != u.step {
		u.end()
		u.step = step
		if u.terminal {
			u.bar = newBar(u.w, step, totalBytes)
		} else {
			fmt.Fprintf(u.w, "%s ...\n", step)
		}
	}
	if u.bar != nil {
		if totalBytes > 0 {
			u.bar.ChangeMax64(totalBytes)
		}
		_ = u.bar.Set64(doneBytes) // only what is drawn depends on it
	}
}

func newBar(w io.Writer, step string, totalBytes int64) *progressbar.ProgressBar {
	if totalBytes <= 0 {
		totalBytes = -1
	}
	return progressbar.NewOptions64(totalBytes,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(step),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100_000_000))
}

// linesEvery is how often a long step is told of where there is no terminal.
const linesEvery = 5 * time.Second

// writing shows the progress of an installation or an upgrade: as that of one long step on a
// terminal, which knows how fast it goes and how long it will take, elsewhere in lines.
func (u *ui) writing(what string) func(write.Progress) {
	meter, next := write.NewMeter(time.Now), time.Now().Add(linesEvery)
	return func(p write.Progress) {
		if u.terminal {
			u.progress(what, p.DoneBytes, p.TotalBytes)
			return
		}
		u.progress(p.Step, p.DoneBytes, p.TotalBytes)
		if now := time.Now(); now.After(next) {
			next = now.Add(linesEvery)
			fmt.Fprintln(u.w, meter.Line(p))
		}
	}
}

// note tells something that the user should know although the work goes on.
func (u *ui) note(text string) {
	u.end()
	fmt.Fprintln(u.w, "rayimg: note:", text)
}

// end finishes the step; it may be called at any time.
func (u *ui) end() {
	if u.bar != nil {
		_ = u.bar.Clear()
		u.bar = nil
	}
	u.step = ""
}
