package cli_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/control/cli"
)

// opened records how the machine of a side was opened and closed.
type opened struct {
	operands []string
	closed   int
	fail     error
}

func (o *opened) side(operand string) cli.Side {
	return cli.Side{Operand: operand, Open: func(_ *cobra.Command, name string, writes bool) (*control.Call, func() error, error) {
		if writes {
			name += "+w"
		}
		o.operands = append(o.operands, name)
		return &control.Call{}, func() error { o.closed++; return o.fail }, nil
	}}
}

// verbs print what they are called with.
func verbs() []control.Command {
	echo := func(c *control.Call) error {
		_, err := io.WriteString(c.Out, strings.Join(c.Args, ","))
		if c.Yes {
			err = errors.Join(err, errors.New("yes"))
		}
		return err
	}
	return []control.Command{
		{Name: "look", Short: "look at it", Run: echo},
		{Name: "change", Short: "change it", Writes: true, Asks: true, Alive: true, Run: echo},
	}
}

func execute(side cli.Side, line string) (string, error) {
	root := &cobra.Command{Use: "tool"}
	side.Add(root, verbs())
	cli.Finish(root)
	var out strings.Builder
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(strings.Fields(line))
	return out.String(), root.Execute()
}

func TestSides(t *testing.T) {
	for _, c := range []struct {
		operand, line string
		opened        string // operand as the machine was opened; empty: it was not
		usage         bool
		says          string
	}{
		{"DISK", "look disk.img", "disk.img", false, ""},
		{"DISK", "look", "", true, "at least 1 arg"},
		{"DISK", "look disk.img more", "", true, "look wants no arguments"},
		{"DISK", "change disk.img", "", true, `no command "change"`},
		{"DISK", "lok", "", true, "did you mean look?"},
		{"", "change", "+w", false, ""},
		{"", "change --yes", "+w", false, "yes"},
		{"", "look --yes", "", true, "unknown flag: --yes"},
		{"", "change more", "", true, "change wants no arguments"},
		{"", "", "", false, ""},
	} {
		var o opened
		_, err := execute(o.side(c.operand), c.line)
		if got := strings.Join(o.operands, " "); strings.TrimSpace(got) != c.opened || o.closed != len(o.operands) {
			t.Errorf("%s: opened %q, closed %d", c.line, got, o.closed)
		}
		if errors.Is(err, control.ErrUsage) != c.usage || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", c.line, err)
		}
	}
}

// TestCloseCounts has a disk fail at the end.
func TestCloseCounts(t *testing.T) {
	o := opened{fail: errors.New("not synced")}
	if _, err := execute(o.side("DISK"), "look disk.img"); !errors.Is(err, o.fail) {
		t.Errorf("error %v", err)
	}
}
