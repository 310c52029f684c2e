package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rayos/rayboot/initramfs/pid1"
	"github.com/rayos/rayboot/initramfs/service"
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

// stages shows the boot stages of the last boots.
func stages(e *env) error {
	f := e.flags("[--json]")
	asJSON := f.Bool("json", false, "print JSON")
	if err := e.parse(f, 0, 0); err != nil {
		return err
	}
	return withLog(e, func(ring *raylog.Ring) error {
		all := lastStages(ring, maxStages)
		if *asJSON {
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

// services shows what process 1 keeps running.
func services(e *env) error {
	f := e.flags("[--json]")
	asJSON := f.Bool("json", false, "print JSON")
	if err := e.parse(f, 0, 0); err != nil {
		return err
	}
	text, err := e.services()
	if err != nil {
		return err
	}
	states := []service.State{}
	if err := json.Unmarshal(text, &states); err != nil {
		return fmt.Errorf("answer of process 1: %w", err)
	}
	if *asJSON {
		return indented(e.stdout, states)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tSTATE\tSTARTS\tSINCE\tLAST END")
	for _, s := range states {
		state := "waits"
		if s.Running {
			state = "runs"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d s\t%.30s\n", s.Name, state, s.Starts, int(s.Since.Seconds()), orDash(s.LastEnd))
	}
	return w.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
