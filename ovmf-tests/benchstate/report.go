package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// The bars, in instructions: of the boot state for each boot, and of digestBytes where the processor has SHA extensions.
const (
	stateBar  = 2_000_000
	digestBar = 40_000_000
)

// digestBytes is what the program statecost digests.
const digestBytes = 15 << 20

// The names that statecost gives its steps.
const (
	spanNothing    = "nothing"
	spanLoad       = "load"
	spanSave       = "save"
	spanLoadFull   = "load full"
	spanSaveFull   = "save full"
	spanReadFile   = "read file"
	spanReadBlocks = "read blocks"
	spanDigest     = "digest"
	spanExtensions = "digest by SHA extensions"
)

// row is one line of the report.
type row struct {
	what     string
	first    uint64 // instructions; 0 if it could not be counted
	repeated uint64 // when it is done again, at the median; 0 if it was not
	bar      uint64 // the most that either may be; 0 for none
}

// costs are those of all spans of a name, without what the marks themselves cost.
func costs(spans []span, name string) []uint64 {
	var all, nothing []uint64
	for _, s := range spans {
		switch s.name {
		case name:
			all = append(all, s.cost)
		case spanNothing:
			nothing = append(nothing, s.cost)
		}
	}
	if len(nothing) > 0 {
		for i := range all {
			all[i] -= min(all[i], slices.Min(nothing))
		}
	}
	return all
}

// newRow is the row of costs in the order of time.
func newRow(what string, costs []uint64, bar uint64) row {
	r := row{what: what, bar: bar}
	if len(costs) > 0 {
		r.first = costs[0]
	}
	if len(costs) > 1 {
		r.repeated = median(costs[1:])
	}
	return r
}

func median(values []uint64) uint64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// stateRows are the rows of the boot state.
func stateRows(spans []span) []row {
	load, save := newRow("load the boot state", costs(spans, spanLoad), 0), newRow("save the boot state", costs(spans, spanSave), 0)
	fullLoad, fullSave := newRow("", costs(spans, spanLoadFull), 0), newRow("", costs(spans, spanSaveFull), 0)
	return []row{
		load,
		save,
		sum("load and save the boot state", load, save, stateBar),
		sum("the same with as many entries and events as there can be", fullLoad, fullSave, stateBar),
		newRow("read 4 KiB of a file, for comparison", costs(spans, spanReadFile), 0),
		newRow("read 4 KiB of the disk, for comparison", costs(spans, spanReadBlocks), 0),
	}
}

// sum is both together.
func sum(what string, a, b row, bar uint64) row {
	return row{what: what, first: a.first + b.first, repeated: a.repeated + b.repeated, bar: bar}
}

// digestRows are the rows of the digest.
func digestRows(spans []span, host hostCost) []row {
	guest := newRow("SHA-256 of 15 MiB, QEMU's processor without SHA extensions", costs(spans, spanDigest), 0)
	if with := costs(spans, spanExtensions); with != nil {
		guest = newRow("SHA-256 of 15 MiB, QEMU's processor with SHA extensions", with, digestBar)
	}
	return []row{
		guest,
		{what: "SHA-256 of 15 MiB, this processor's SHA extensions", first: host.sha2, bar: digestBar},
		{what: "the same by crypto/sha256 without AVX, for comparison", first: host.std},
	}
}

func (r row) missed() bool { return r.bar != 0 && max(r.first, r.repeated) > r.bar }

func missed(rows []row) bool { return slices.ContainsFunc(rows, row.missed) }

// report prints the table.
func report(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "million instructions\tat first\tagain\tbar\t")
	for _, r := range rows {
		verdict := ""
		switch {
		case r.first == 0:
			verdict = "not measurable here"
		case r.missed():
			verdict = "missed"
		case r.bar != 0:
			verdict = "met"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.what, million(r.first), million(r.repeated), million(r.bar), verdict)
	}
	return w.Flush()
}

// million is a number of instructions for people; 0 is none.
func million(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.3f", float64(n)/1e6)
}
