package console

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/term"

	"github.com/rayos/rayboot/initramfs/ptytest"
)

func openSet(t *testing.T, path string) *Set {
	t.Helper()
	set, err := Open(filepath.Dir(path), []string{filepath.Base(path)})
	if err != nil {
		t.Fatal(err)
	}
	set.quieten = nil // the messages of the machine that runs the test are not ours
	return set
}

func TestLinesOnATerminal(t *testing.T) {
	terminal := ptytest.Open(t)
	set := openSet(t, terminal.Path)
	far := terminal.Far()
	for _, text := range []string{"cooked", "raw"} {
		if err := set.Line(text); err != nil {
			t.Fatal(err)
		}
		if before := terminal.Expect(text + "\r\n"); before != "" {
			t.Errorf("%q before the line %q", before, text)
		}
		if _, err := term.MakeRaw(int(far.Fd())); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoppedTerminal fills a terminal that nobody reads: the line is given up,
// the caller is not.
func TestStoppedTerminal(t *testing.T) {
	set := openSet(t, ptytest.Open(t).Path)
	var err error
	for i := 0; i < 1000 && err == nil; i++ {
		err = set.Line(strings.Repeat("x", 1000))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want a timeout", err)
	}
}

func TestOpenLeavesOutWhatIsNotThere(t *testing.T) {
	path := ptytest.Open(t).Path
	set, err := Open("/dev", []string{"no-such-console", strings.TrimPrefix(path, "/dev/")})
	if err == nil || !strings.Contains(err.Error(), "no-such-console") || len(set.Names()) != 1 {
		t.Errorf("names %q, error %v", set.Names(), err)
	}
}
