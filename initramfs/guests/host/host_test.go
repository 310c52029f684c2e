package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/screen"
)

// text collects lines.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// fakeScreen is a screen that remembers what it shows.
type fakeScreen struct {
	mu    sync.Mutex
	drawn int
	blank int
}

func (s *fakeScreen) Size() image.Point                   { return image.Pt(8, 6) }
func (s *fakeScreen) SetCursor(presentation.Cursor) error { return nil }
func (s *fakeScreen) MoveCursor(image.Point) error        { return nil }
func (s *fakeScreen) Changed() <-chan struct{}            { return nil }
func (s *fakeScreen) Close() error                        { return nil }
func (s *fakeScreen) Draw(p presentation.Picture, _ []image.Rectangle) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn++
	return 4, nil
}

func (s *fakeScreen) Blank() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blank++
	return nil
}

// fakeMachine has guests whose QEMU is a script; the real one is used in the nested test.
type fakeMachine struct {
	dir    string
	script map[guest.Name]string // a guest without one is missing
	mib    meminfo
}

func (m *fakeMachine) missing(name guest.Name) error {
	if _, ok := m.script[name]; !ok {
		return errors.New("there is no disk for it")
	}
	return nil
}

func (m *fakeMachine) prepare(name guest.Name) (guest.Machine, error) {
	tree := guest.Tree(filepath.Join(m.dir, "tree-"+string(name)))
	loader := tree.Path(guest.LoaderPath)
	err := os.MkdirAll(filepath.Dir(loader), 0o755)
	if err == nil {
		err = os.WriteFile(loader, []byte("#!/bin/sh\n"+m.script[name]+"\n"), 0o755)
	}
	return guest.Machine{Tree: tree, Monitor: filepath.Join(m.folder(name), "monitor.sock")}, err
}

func (m *fakeMachine) folder(name guest.Name) string { return filepath.Join(m.dir, string(name)) }
func (m *fakeMachine) memory() (meminfo, error)      { return m.mib, nil }

// bench is a host with what comes out of it.
type bench struct {
	*Host
	t         *testing.T
	tell, log text
	screen    *fakeScreen
	machine   *fakeMachine
}

func newBench(t *testing.T, script map[guest.Name]string, change func(*config)) *bench {
	t.Helper()
	b := &bench{t: t, screen: &fakeScreen{}, machine: &fakeMachine{dir: t.TempDir(), script: script, mib: meminfo{16000, 16000}}}
	c := config{
		machine: b.machine, tell: &b.tell, log: &b.log, launcher: service.Direct, hasKVM: func() bool { return false },
		suits: func(guest.Tree, bool) error { return nil },
		find:  func() (screen.Screen, error) { return b.screen, nil },
		open:  func() (devices, error) { return nil, errors.New("no keyboard here") },
	}
	for _, name := range guest.Names() {
		g := guest.Default(name)
		g.Restarts = 1
		c.guests = append(c.guests, g)
	}
	if change != nil {
		change(&c)
	}
	var err error
	if b.Host, err = newHost(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stopAll)
	return b
}

// ask asks the host as a command does.
func (b *bench) ask(r guests.Request) guests.Answer {
	b.t.Helper()
	question, err := json.Marshal(r)
	if err != nil {
		b.t.Fatal(err)
	}
	var a guests.Answer
	if err := json.Unmarshal(b.Answer(question), &a); err != nil {
		b.t.Fatal(err)
	}
	return a
}

// until waits for a state of a guest.
func (b *bench) until(name, condition string) guests.State {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s, err := b.ask(guests.Request{Verb: guests.VerbList}).Find(name)
		if err != nil {
			b.t.Fatal(err)
		}
		if s.Condition == condition {
			return s
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s is not %s, but %+v; told %s; log %s", name, condition, s, &b.tell, &b.log)
		}
	}
}

func (b *bench) says(where *text, what string) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(where.String(), what); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("not said: %q in\n%s", what, where)
		}
	}
}

// draw has a guest draw a picture.
func (b *bench) draw(name string) (*display.Source, presentation.ID) {
	b.t.Helper()
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: make([]byte, 8*6*4)}})
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := presentation.NewPicture(presentation.Frame{
		Format: presentation.BGRX, Width: 8, Height: 6, Stride: 32, Memory: []presentation.Range{{Size: 8 * 6 * 4}},
	}, m)
	if err != nil {
		b.t.Fatal(err)
	}
	s := b.display.Source(name)
	id, err := s.Create(0, image.Pt(8, 6))
	if err == nil {
		err = s.Update(id, presentation.Update{Picture: p})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return s, id
}

const idle = "echo its console; while :; do sleep 0.1; done"

func TestStartAndStop(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: idle}, nil)
	if a := b.ask(guests.Request{Verb: guests.VerbStart, Guest: "linux"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	s := b.until("linux", guests.Runs)
	if s.PID == 0 || !s.Running || s.KVM || s.Starts != 1 {
		t.Errorf("state %+v", s)
	}
	b.says(&b.log, "linux\tits console\n")
	b.says(&b.tell, "rayos: guest linux: started in software emulation, with 1024 MiB of memory and 1 processor\n")
	if s := b.until("windows", guests.Missing); s.Problem != "there is no disk for it" {
		t.Errorf("state %+v", s)
	}
	for what, want := range map[guests.Request]string{
		{Verb: guests.VerbStart, Guest: "windows"}:    "there is no disk for it",
		{Verb: guests.VerbStop, Guest: "windows"}:     "guest windows does not run",
		{Verb: guests.VerbStart, Guest: "plan9"}:      `there is no guest "plan9"; there are linux and windows`,
		{Verb: "bark", Guest: "linux"}:                `there is no request "bark"`,
		{Verb: guests.VerbScreenshot, File: "/x"}:     "must end with .png or .ppm",
		{Verb: guests.VerbScreenshot, File: "x.png"}:  "no absolute path",
		{Verb: guests.VerbScreenshot, File: "/x.png"}: "no guest has drawn anything",
	} {
		if a := b.ask(what); !strings.Contains(a.Error, want) || len(a.Guests) != 2 {
			t.Errorf("%+v: %+v, want %q", what, a, want)
		}
	}
	if a := b.ask(guests.Request{Verb: guests.VerbStop, Guest: "linux", Force: true}); a.Error != "" {
		t.Error(a.Error)
	}
	b.until("linux", guests.Stopped)
	if b.Answer([]byte("{")) == nil {
		t.Error("no answer to what is no question")
	}
}

// TestCrash ends a guest by crashes: it is started again as often as it may be, and what it showed is left.
func TestCrash(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: "sleep 0.1; exit 3"}, nil)
	b.display.Show("linux")
	if a := b.ask(guests.Request{Verb: guests.VerbStart, Guest: "linux"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	s := b.until("linux", guests.Failed)
	if s.Starts != 2 || s.Problem != "exit status 3" || b.display.Wanted() != "" {
		t.Errorf("state %+v, wanted %q", s, b.display.Wanted())
	}
	b.says(&b.tell, "guest linux: exit status 3 right after its start; started again in 1s")
	b.says(&b.tell, "guest linux: exit status 3 right after its start; it has failed after 2 starts and is not started again")
}

// TestBrokenKVM has a QEMU that ends at once on KVM: the next one is emulated.
func TestBrokenKVM(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: `case "$*" in *accel=kvm*) exit 1;; esac; ` + idle}, func(c *config) { c.hasKVM = func() bool { return true } })
	if a := b.ask(guests.Request{Verb: guests.VerbStart, Guest: "linux"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	b.says(&b.tell, "QEMU does not run on KVM here; from now on it is emulated in software")
	if s := b.until("linux", guests.Runs); s.KVM || s.Starts != 2 {
		t.Errorf("state %+v", s)
	}
}

// TestOldQEMU has a QEMU that cannot do it: it is told, and not started.
func TestOldQEMU(t *testing.T) {
	old := guest.CheckVersion("QEMU emulator version 7.2.22 (Debian)", false)
	b := newBench(t, map[guest.Name]string{guest.Linux: idle}, func(c *config) { c.suits = func(guest.Tree, bool) error { return old } })
	b.ask(guests.Request{Verb: guests.VerbStart, Guest: "linux"})
	if s := b.until("linux", guests.Failed); !strings.Contains(s.Problem, old.Error()) || s.PID != 0 {
		t.Errorf("state %+v", s)
	}
}

func TestNoRoom(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: idle, guest.Windows: idle}, nil)
	b.machine.mib = meminfo{4500, 4500}
	if a := b.ask(guests.Request{Verb: guests.VerbStart, Guest: "linux"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	a := b.ask(guests.Request{Verb: guests.VerbStart, Guest: "windows"})
	if want := "guest windows wants 4096 MiB of memory and 3188 of 4500 are free for guests: lower memory-mib in /esp/EFI/rayos/guests.toml, or stop another guest"; a.Error != want {
		t.Errorf("%s\nwant %s", a.Error, want)
	}
}

func TestShow(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: idle, guest.Windows: idle}, nil)
	if a := b.ask(guests.Request{Verb: guests.VerbShow, Guest: "linux"}); a.Error != "" || a.Wanted != "linux" {
		t.Fatalf("%+v", a)
	}
	s := b.until("linux", guests.Runs)
	if s.Shown || s.Picture {
		t.Errorf("before it draws: %+v", s)
	}
	source, id := b.draw("linux")
	if s = b.until("linux", guests.Runs); !s.Shown || s.Width != 8 || s.Frames != 1 || b.screen.drawn != 1 {
		t.Errorf("after it has drawn: %+v", s)
	}
	b.says(&b.tell, "[RAYOS_PRESENTATION:PRESENTED] id=1\n")
	file := filepath.Join(t.TempDir(), "shot.png")
	if a := b.ask(guests.Request{Verb: guests.VerbScreenshot, File: file}); a.Error != "" {
		t.Error(a.Error)
	}
	if f, err := os.Open(file); err != nil {
		t.Error(err)
	} else if p, err := png.Decode(f); err != nil || p.Bounds() != image.Rect(0, 0, 8, 6) {
		t.Errorf("%v, %v", p, err)
	}
	b.chord()
	if s = b.until("linux", guests.Runs); s.Shown || b.screen.blank == 0 {
		t.Errorf("after the chord: %+v", s)
	}
	b.says(&b.tell, "rayos: back from the guest; linux: runs, windows: stopped. show NAME shows one")
	if err := source.Destroy(id); err != nil {
		t.Error(err)
	}
	b.says(&b.tell, "[RAYOS_PRESENTATION:DESTROY] id=1\n")
}

// TestShowAll goes through all guests by the chord.
func TestShowAll(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: idle, guest.Windows: idle}, nil)
	b.draw("linux")
	b.draw("windows")
	if a := b.ask(guests.Request{Verb: guests.VerbShow, Guest: guests.All}); a.Error != "" || a.Wanted != "linux" {
		t.Fatalf("%+v", a)
	}
	for _, want := range []string{"linux", "windows", "", ""} {
		if got := b.shown.guest(); got != want {
			t.Errorf("shown is %q, want %q", got, want)
		}
		b.chord()
	}
	if a := b.ask(guests.Request{Verb: guests.VerbShow, Guest: "windows"}); a.Error != "" {
		t.Error(a.Error)
	}
	b.chord()
	if got := b.shown.guest(); got != "" {
		t.Errorf("one guest alone, and after the chord %q is shown", got)
	}
	if a := b.ask(guests.Request{Verb: guests.VerbHide}); a.Error != "" || a.Wanted != "" {
		t.Errorf("%+v", a)
	}
}

func TestNoScreen(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: idle}, func(c *config) {
		c.find = func() (screen.Screen, error) { return nil, screen.ErrNone }
	})
	a := b.ask(guests.Request{Verb: guests.VerbShow, Guest: "linux"})
	if want := "this machine has no screen; show --screenshot works without a screen"; a.Error != want || a.Guests[0].Running {
		t.Errorf("%+v", a)
	}
	if got := b.display.Source("linux").Size(); got != defaultSize {
		t.Errorf("guests are told %v", got)
	}
}

func TestAutostart(t *testing.T) {
	b := newBench(t, map[guest.Name]string{guest.Linux: idle}, func(c *config) {
		for i := range c.guests {
			c.guests[i].Autostart = true
		}
	})
	b.autostart()
	b.until("linux", guests.Runs)
	b.says(&b.tell, "guest windows is not started: there is no disk for it")
}

// TestFrameUpdates has a guest draw for hours: it is told of ever less often.
func TestFrameUpdates(t *testing.T) {
	var out text
	s := newShown(newTeller(&out, 0), func() {})
	for id := range uint32(2) {
		s.emit(markers.PresentationSurfaceCreate{ID: id, Guest: "linux", Width: 8, Height: 6})
		for seq := range uint64(100_000) {
			s.emit(markers.PresentationFrameUpdate{ID: id, Seq: seq + 1})
		}
		s.emit(markers.PresentationDestroy{ID: id})
	}
	if n := strings.Count(out.String(), "FRAME_UPDATE"); n != 2*17 {
		t.Errorf("%d lines for 2 screens of 100,000 frames:\n%s", n, &out)
	}
}

// TestTeller lets a guest make more happen than anybody wants to read.
func TestTeller(t *testing.T) {
	var out text
	now := time.Unix(100, 0)
	teller := newTeller(&out, 3)
	teller.now = func() time.Time { return now }
	for i := range 10 {
		teller.line(fmt.Sprint("line\n", i))
	}
	now = now.Add(tellSpan)
	teller.line("later")
	if want := "line 0\nline 1\nline 2\nrayos: guests: 7 lines are left out: more than 3 in 30s\nlater\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
