package control

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/golden"
)

// signatures returns what says why the boot manager refuses a snapshot for its
// signature; nil where it does not. The problem is that its key cannot be read.
func (c *Call) signatures() (refused func(golden.Snapshot) error, problem error) {
	key, err := c.Machine.GoldenKey()
	if err != nil {
		err = fmt.Errorf("whether golden snapshots must be signed is not known: %w", err)
	}
	return func(s golden.Snapshot) error {
		if key == nil {
			return nil
		}
		return s.CheckSignature(key)
	}, err
}

func listGolden(c *Call) error {
	volume, err := c.Machine.ESP()
	if err != nil {
		return err
	}
	refused, problem := c.signatures()
	all, problems := golden.List(volume)
	if problem != nil {
		problems = append(problems, problem)
	}
	if c.JSON {
		type item struct {
			ID string `json:"id"`
			golden.Snapshot
			Signed  bool   `json:"signed"`
			Refused string `json:"refused,omitempty"` // why the boot manager does not use it
		}
		items := []item{}
		for _, s := range all {
			items = append(items, item{s.ID().String(), s, s.Signed(), oneLine(refused(s))})
		}
		return printJSON(c.Out, struct {
			Snapshots []item   `json:"snapshots"`
			Problems  []string `json:"problems"`
		}{items, texts(problems)})
	}
	if len(all) == 0 {
		if err := c.say("There is no golden snapshot."); err != nil {
			return err
		}
	}
	w := newTable(c.Out)
	for i, s := range all {
		fmt.Fprintf(w, "%d\t%s\t%v\t%s\t%s MiB\tof %s\t%s\n", i+1, bootmenu.ShortID(s.ID()), s.State, s.Title, mebibytes(s), s.Entry, remarks(s, refused(s)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return c.sayProblems(view{problems: problems})
}

// remarks are what sets a snapshot apart: where it lies, and that its signature is
// not good enough.
func remarks(s golden.Snapshot, refused error) string {
	var words []string
	if s.Kernel.Slot >= 0 {
		words = append(words, fmt.Sprintf("in kernel slot %d", s.Kernel.Slot))
	}
	switch {
	case refused == nil:
	case errors.Is(refused, golden.ErrUnsigned):
		words = append(words, "not used: not signed")
	default:
		words = append(words, "not used: signed with another key")
	}
	return strings.Join(words, ", ")
}

// oneLine is an error's text without line breaks, empty for nil.
func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// verdict is what is wrong with a snapshot.
type verdict struct {
	ID      string `json:"id"`
	Problem string `json:"problem,omitempty"`
}

func verifyGolden(c *Call) error {
	volume, err := c.Machine.ESP()
	if err != nil {
		return err
	}
	_, kernels, err := c.Machine.Slots()
	if err != nil {
		return err
	}
	all, problems := golden.List(volume)
	if len(c.Args) > 0 {
		s, err := Named(all, c.Args[0])
		if err != nil {
			return err
		}
		all, problems = []golden.Snapshot{s}, nil
	}
	refused, problem := c.signatures()
	if problem != nil {
		problems = append(problems, problem)
	}
	verdicts := []verdict{}
	bad := len(problems)
	for _, s := range all {
		err := errors.Join(refused(s), golden.Verify(volume, kernels, s))
		if err != nil {
			bad++
		}
		verdicts = append(verdicts, verdict{s.ID().String(), oneLine(err)})
	}
	if err := c.sayVerdicts(verdicts, problems); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d golden snapshots cannot be used", bad)
	}
	return nil
}

func (c *Call) sayVerdicts(verdicts []verdict, problems []error) error {
	if c.JSON {
		return printJSON(c.Out, struct {
			Snapshots []verdict `json:"snapshots"`
			Problems  []string  `json:"problems"`
		}{verdicts, texts(problems)})
	}
	for _, v := range verdicts {
		word := "is as it was made"
		if v.Problem != "" {
			word = v.Problem
		}
		if err := c.say("%.16s: %s", v.ID, word); err != nil {
			return err
		}
	}
	return c.sayProblems(view{problems: problems})
}
