package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// report prints the table: medians, how much they are above the direct boot (the kernel unpacks itself in the same span,
// which hides the loader in the ratio), and the size of each loader.
func (b *bench) report(out io.Writer, samples map[string][]float64) error {
	direct := median(samples[b.loaders[0].name])
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "loader\t%s\tabove direct\tratio\tleast\tmost\tbytes\t\n", b.unit())
	for _, l := range b.loaders {
		info, err := os.Stat(l.hostFile)
		if err != nil {
			return err
		}
		s := samples[l.name]
		m := median(s)
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.3f\t%.1f\t%.1f\t%d\t\n", l.name, m, m-direct, m/direct, slices.Min(s), slices.Max(s), info.Size())
	}
	return w.Flush()
}

// median returns the middle value, or the mean of the two in the middle. There must be a value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
