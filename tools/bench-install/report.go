package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
)

// The bars for rayimg install.
const (
	barShare = 0.8 // of what dd reaches
	barPeak  = 100_000_000
)

var errBar = errors.New("a bar is missed")

// best are the highest rate and the highest peak.
func best(samples []sample) (s sample) {
	for _, x := range samples {
		s.bytesPerSecond, s.peakBytes = max(s.bytesPerSecond, x.bytesPerSecond), max(s.peakBytes, x.peakBytes)
	}
	return s
}

// report prints the figures, each beside its bar.
func report(w io.Writer, ours, peer []sample) error {
	a, b := best(ours), best(peer)
	share := a.bytesPerSecond / b.bytesPerSecond
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "best of %d\twritten\tof dd\tpeak memory\t\n", len(ours))
	fmt.Fprintf(out, "rayimg install\t%.0f MB/s\t%.0f %%\t%.1f MB\t\n", a.bytesPerSecond/1e6, 100*share, float64(a.peakBytes)/1e6)
	fmt.Fprintf(out, "dd bs=1M conv=fsync\t%.0f MB/s\t\t\t\n", b.bytesPerSecond/1e6)
	fmt.Fprintf(out, "bar\t\t%.0f %%\t%.0f MB\t\n", 100*barShare, float64(barPeak)/1e6)
	if err := out.Flush(); err != nil {
		return err
	}
	if share < barShare || a.peakBytes >= barPeak {
		return errBar
	}
	return nil
}
