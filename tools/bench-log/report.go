package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/rayos/rayboot/raylog"
)

// The bars for the log.
const (
	barDurable     = 0.9 // of synchronous writes of 4 KiB
	barGrouped     = 0.5 // of plain large writes
	barReads       = 40  // to open a full log
	barAllocations = 0   // per append
)

// result is what was measured: rates in bytes per second, one for each turn.
type result struct {
	syncWrites, durable  []float64
	largeWrites, grouped []float64

	records     uint64 // appended in all
	capacity    int    // of the log, in records
	found       raylog.Found
	allocations float64 // per append
}

func median(rates []float64) float64 {
	sorted := slices.Sorted(slices.Values(rates))
	return sorted[len(sorted)/2]
}

func perSecond(rate float64) float64 { return rate / raylog.RecordBytes }
func mega(rate float64) float64      { return rate / 1e6 }

func (r *result) report(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "median of %d turns\tlog\tdevice\tof it\tbar\t\n", len(r.durable))
	durable, syncWrites := perSecond(median(r.durable)), perSecond(median(r.syncWrites))
	fmt.Fprintf(out, "durable appends, writes of 4 KiB with O_DSYNC\t%.0f/s\t%.0f/s\t%.0f %%\t%.0f %%\t\n",
		durable, syncWrites, 100*durable/syncWrites, 100*barDurable)
	grouped, largeWrites := mega(median(r.grouped)), mega(median(r.largeWrites))
	fmt.Fprintf(out, "grouped appends, writes of 1 MiB\t%.0f MB/s\t%.0f MB/s\t%.0f %%\t%.0f %%\t\n",
		grouped, largeWrites, 100*grouped/largeWrites, 100*barGrouped)
	fmt.Fprintf(out, "record reads to open a log of %d, after %d\t%d\t\t\t%d\t\n", r.capacity, r.records, r.found.Reads, barReads)
	fmt.Fprintf(out, "allocations per append\t%.0f\t\t\t%d\t\n", r.allocations, barAllocations)
	return out.Flush()
}
