package install

import (
	"fmt"
	"strings"
	"time"

	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/installer/write"
)

// How often progress is told: a line that is written over, and lines that stay.
const (
	updateEvery = time.Second / 2
	lineEvery   = 5 * time.Second
)

// say tells people what goes on.
func (i *Installer) say(text string) {
	if !i.Silent {
		fmt.Fprintln(i.Out, text)
	}
}

// progress tells how far the writing is, how fast it goes, and how long it will take.
func (i *Installer) progress() func(write.Progress) {
	every := lineEvery
	if i.Update {
		every = updateEvery
	}
	meter, step, next := write.NewMeter(time.Now), "", time.Now()
	return func(p write.Progress) {
		now := time.Now()
		if i.Silent || p.Step == step && now.Before(next) {
			return
		}
		step, next = p.Step, now.Add(every)
		line := meter.Line(p)
		if i.Update {
			fmt.Fprint(i.Out, "\r"+sketch.Fit(line, sketch.Width-1))
			return
		}
		fmt.Fprintln(i.Out, line)
	}
}

// endLine ends the line that is written over.
func (i *Installer) endLine() {
	if i.Update && !i.Silent {
		fmt.Fprint(i.Out, "\r"+strings.Repeat(" ", sketch.Width-1)+"\r")
	}
}
