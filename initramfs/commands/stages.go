package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/initramfs/pid1"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// maxStages is how many boot stages the command stages shows.
const maxStages = 100

// stageReached is one stage of one boot, as the log has it. Its JSON names are part
// of the interface.
type stageReached struct {
	Boot     raylog.BootID `json:"boot"`
	Entry    string        `json:"entry"`
	Stage    string        `json:"stage"`
	Seq      string        `json:"seq"`
	UptimeMS int64         `json:"uptimeMilliseconds"`
	Wall     *time.Time    `json:"wall,omitempty"`
	Kernel   string        `json:"kernelSHA256,omitempty"` // empty if the boot manager did not say
}

const stagesLong = `Stages shows the boot stages of the last boots: which entry came how far, how
long after the kernel's start, and which kernel it was.`

func newStages(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "stages",
		Long:              stagesLong,
		Example:           "  stages\n  stages --json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return showStages(e, asJSON) },
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

func showStages(e *env, asJSON bool) error {
	return withLog(e, func(ring *raylog.Ring) error {
		all := lastStages(ring, maxStages)
		if asJSON {
			return indented(e.stdout, all)
		}
		w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "BOOT\tENTRY\tSTAGE\tAT\tKERNEL")
		for _, s := range all {
			fmt.Fprintf(w, "%.8s\t%.16s\t%s\t%d ms\t%.16s\n", s.Boot, s.Entry, s.Stage, s.UptimeMS, s.Kernel)
		}
		return w.Flush()
	})
}

func indented(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// lastStages returns the last stages in the log, the oldest first.
func lastStages(ring *raylog.Ring, most int) []stageReached {
	all := []stageReached{}
	reader := ring.Reader(raylog.Query{Source: "init", All: true, Backward: true})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		if len(all) == most && r.Boot != all[most-1].Boot {
			break
		}
		if digest, ok := strings.CutPrefix(r.Message, pid1.KernelLine); ok {
			for i := range all {
				if all[i].Boot == r.Boot {
					all[i].Kernel = digest
				}
			}
		}
		if s, ok := stageOf(r); ok && len(all) < most {
			all = append(all, s)
		}
	}
	slices.Reverse(all)
	return all
}

func stageOf(r raylog.Record) (s stageReached, ok bool) {
	m, err := markers.Parse(r.Message)
	isStage := func(stage markers.BootStage) bool { return stage.String() == m.Name }
	if err != nil || !slices.ContainsFunc(markers.BootStages(), isStage) {
		return s, false
	}
	s = stageReached{Boot: r.Boot, Stage: m.Name, UptimeMS: r.Uptime.Milliseconds()}
	s.Entry, _ = m.Get("entry")
	s.Seq, _ = m.Get("seq")
	if !r.Wall.IsZero() {
		utc := r.Wall.UTC()
		s.Wall = &utc
	}
	return s, true
}
