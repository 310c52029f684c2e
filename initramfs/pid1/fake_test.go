package pid1

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/console"
	"github.com/rayos/rayboot/initramfs/shell"
)

// fakeKernel records what process 1 asks for, in order. errs makes a request
// fail, by its text.
type fakeKernel struct {
	mu      sync.Mutex
	root    string // is left out of the record
	asked   []string
	errs    map[string]error
	onMount func(source, target string)
}

func (k *fakeKernel) ask(format string, args ...any) error {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), k.root, "")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, text)
	return k.errs[text]
}

func (k *fakeKernel) Mount(source, target, fstype string, flags uintptr, _ string) error {
	ro := ""
	if flags&syscall.MS_RDONLY != 0 {
		ro = " ro"
	}
	err := k.ask("mount %s %s%s", target, fstype, ro)
	if err == nil && k.onMount != nil {
		k.onMount(source, target)
	}
	return err
}

func (k *fakeKernel) Unmount(target string) error         { return k.ask("unmount %s", target) }
func (k *fakeKernel) RemountReadOnly(target string) error { return k.ask("read-only %s", target) }
func (k *fakeKernel) LoadModule(file, parameters string) error {
	return k.ask("load %s", strings.TrimSpace(filepath.Base(file)+" "+parameters))
}
func (k *fakeKernel) Release() (string, error)      { return "6.1.0-99", k.ask("release") }
func (k *fakeKernel) SetHostname(name string) error { return k.ask("hostname %s", name) }
func (k *fakeKernel) Signal(s syscall.Signal) error { return k.ask("signal %d", int(s)) }
func (k *fakeKernel) Sync()                         { _ = k.ask("sync") }
func (k *fakeKernel) CtrlAltDel() error             { return k.ask("ctrl-alt-del") }
func (k *fakeKernel) Power(command int) error       { return k.ask("power %#x", command) }

// only returns what was asked for that begins with prefix.
func (k *fakeKernel) only(prefix string) (asked []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.asked {
		if rest, ok := strings.CutPrefix(a, prefix+" "); ok {
			asked = append(asked, rest)
		}
	}
	return asked
}

// fakeMount is the mount of the ESP.
type fakeMount struct{ readOnly bool }

func (m *fakeMount) ReadOnly() (bool, error)     { return m.readOnly, nil }
func (m *fakeMount) Remount(readOnly bool) error { m.readOnly = readOnly; return nil }

// screen records lines.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// newBoot returns a boot below a directory with the given files, whose console
// is the screen.
func newBoot(t *testing.T, files map[string]string) (*boot, *fakeKernel, *screen) {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(root, name), content)
	}
	k := &fakeKernel{root: root, errs: map[string]error{}}
	out := &screen{}
	b := &boot{root: root, kernel: k, begin: time.Now(), espMount: &fakeMount{readOnly: true}}
	b.consoles = console.New([]string{"ttyS0"}, []console.Output{out}, nil)
	b.makeGuard()
	b.makeServices("")
	return b, k, out
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func wantLines(t *testing.T, out fmt.Stringer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the console does not say %q:\n%s", text, out)
		}
	}
}

func wantSame(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestMain makes the test program a shell where process 1 starts it as one,
// and a process 1 that panics where a test asks for that.
func TestMain(m *testing.M) {
	switch {
	case os.Args[0] == "sh":
		os.Exit(shell.Program(nil)(os.Args, os.Stdin, os.Stdout, os.Stderr))
	case os.Getenv(panicVariable) != "":
		panics()
	}
	os.Exit(m.Run())
}

const panicVariable = "RAYOS_TEST_PANIC"

func panics() {
	b := &boot{kernel: &fakeKernel{}}
	defer b.lastWords()
	var files fs.FS
	_, _ = files.Open("x") // nil: a bug as it happens
}
