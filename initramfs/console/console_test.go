package console_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/initramfs/console"
)

func TestNames(t *testing.T) {
	for active, want := range map[string][]string{
		"tty0 ttyS0\n": {"ttyS0", "tty1"},
		"ttyS0\n":      {"ttyS0"},
		"tty0\n":       {"tty1"},
		"hvc0 tty0\n":  {"tty1", "hvc0"},
		"\n":           nil,
	} {
		if got := console.Names(active); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", active, got, want)
		}
	}
}

func TestIsScreen(t *testing.T) {
	for name, want := range map[string]bool{"tty1": true, "tty12": true, "ttyS0": false, "hvc0": false, "console": false} {
		if got := console.IsScreen(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// recorder is a console that records its writes, each as one string.
type recorder struct {
	writes []string
	fail   error
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.fail != nil {
		return 0, r.fail
	}
	r.writes = append(r.writes, string(p))
	return len(p), nil
}

func TestLineIsOneWriteToEachConsole(t *testing.T) {
	a, b := &recorder{}, &recorder{}
	set := console.New([]string{"a", "b"}, []console.Output{a, b}, nil)
	if err := set.Line("[RAYOS_X:Y] z=1"); err != nil {
		t.Fatal(err)
	}
	set.SetMidLine(true)
	if err := set.Line("two\nlines"); err != nil {
		t.Fatal(err)
	}
	want := []string{"[RAYOS_X:Y] z=1\n", "\ntwo\nlines\n"}
	if !slices.Equal(a.writes, want) || !slices.Equal(b.writes, want) {
		t.Errorf("writes %q and %q, want %q", a.writes, b.writes, want)
	}
}

func TestOneBrokenConsole(t *testing.T) {
	broken, good := &recorder{fail: errors.New("hung up")}, &recorder{}
	set := console.New([]string{"ttyS0", "tty1"}, []console.Output{broken, good}, nil)
	if err := set.Line("x"); err == nil || !strings.Contains(err.Error(), "console ttyS0: hung up") {
		t.Errorf("error %v", err)
	}
	if len(good.writes) != 1 {
		t.Error("the good console got no line")
	}
}

// TestKernelIsQuietDuringALine checks the order: quiet, write, loud again.
func TestKernelIsQuietDuringALine(t *testing.T) {
	var log bytes.Buffer
	set := console.New([]string{"a"}, []console.Output{&log}, func() func() {
		log.WriteString("<quiet>")
		return func() { log.WriteString("<loud>") }
	})
	if err := set.Line("x"); err != nil {
		t.Fatal(err)
	}
	if log.String() != "<quiet>x\n<loud>" {
		t.Errorf("order %q", log.String())
	}
}
