//go:build ovmf

package ovmftests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// TestShowDisk builds a disk with QEMU and a guest, and has rayimg show that guest on this host: what is written on its
// text console is in the picture, and nothing of what it does is on the disk.
func TestShowDisk(t *testing.T) {
	t.Parallel()
	rayimg, disk := harness.Artifact(t, "rayimg"), filepath.Join(t.TempDir(), "disk.img")
	harness.Run(t, rayimg, "build", disk, "--guests", "--linux-guest", "tiny")
	checkGuestParts(t, rayimg, disk)
	before := partsOf(t, disk)

	shot := filepath.Join(t.TempDir(), "shot.png")
	g := showGuest(t, rayimg, disk, "--screenshot", shot, "--until", "wrote 2", "--markers")
	g.await(t, "rayos# ")
	// The first one stands behind the prompt.
	g.say(t, "for i in 1 2 3 4; do printf 'rayosrayos\\r\\n'; done >/dev/tty0; mount -t ext4 /dev/vda /tmp; rm /tmp/vmlinuz; umount /tmp; echo wrote $((1+1))\n")
	g.end(t, 0)
	if err := wordsThrice(readPicture(t, shot)); err != nil {
		kept := filepath.Join(harness.Dist(), "show-differs.png")
		t.Errorf("%v; what it shows: %s (%v)", err, kept, os.Rename(shot, kept))
	}
	for _, want := range []string{"SURFACE_CREATE", "FIRST_FRAME", "PRESENTED", "HIDDEN", "DESTROY"} {
		if !strings.Contains(g.stderr.String(), "[RAYOS_PRESENTATION:"+want+"]") {
			t.Errorf("no marker %s in\n%s", want, g.stderr.String())
		}
	}
	if partsOf(t, disk) != before {
		t.Error("the guest's disk was written without --write")
	}
	checkGuestFiles(t, disk)
}

// checkGuestParts looks at what was built with other people's tools.
func checkGuestParts(t *testing.T, rayimg, disk string) {
	t.Helper()
	harness.Run(t, rayimg, "verify", disk)
	var made struct{ Tree string }
	if err := json.Unmarshal([]byte(harness.Run(t, rayimg, "qemu", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	unpacked := filepath.Join(t.TempDir(), "tree")
	harness.Run(t, "unsquashfs", "-q", "-n", "-offset", "4715446272", "-d", unpacked, disk)
	harness.Run(t, "diff", "-r", made.Tree, unpacked)
	var report struct {
		System     struct{ QEMU string }
		LinuxGuest struct {
			Clean                    bool
			KernelBytes, InitrdBytes int64
		}
	}
	if err := json.Unmarshal([]byte(harness.Run(t, rayimg, "inspect", disk, "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if g := report.LinuxGuest; !strings.Contains(report.System.QEMU, ":10.") || !g.Clean || g.KernelBytes == 0 || g.InitrdBytes == 0 {
		t.Errorf("inspect: %+v", report)
	}
}

// partsOf digests the beginning of the guest's file system, which every use of it changes.
func partsOf(t *testing.T, disk string) string {
	t.Helper()
	return fmt.Sprintf("%x", read(t, disk, 21895315456, 1<<20))
}

// checkGuestFiles has e2fsck judge the guest's file system.
func checkGuestFiles(t *testing.T, disk string) {
	t.Helper()
	harness.Run(t, "/usr/sbin/e2fsck", "-fn", disk+"?offset=21895315456")
}

// shownGuest is a guest that rayimg shows.
type shownGuest struct {
	cmd    *exec.Cmd
	stdin  io.Writer
	stdout safeBuffer
	stderr safeBuffer
	ended  chan error
}

func showGuest(t *testing.T, rayimg, disk string, args ...string) *shownGuest {
	t.Helper()
	g := &shownGuest{cmd: exec.Command(rayimg, append([]string{"show", disk, "--kvm", "off"}, args...)...), ended: make(chan error, 1)}
	g.cmd.Stdout, g.cmd.Stderr = &g.stdout, &g.stderr
	var err error
	if g.stdin, err = g.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(func() { _ = g.cmd.Process.Signal(os.Interrupt) }) // of a test that has failed
	return g
}

func (g *shownGuest) state() string { return g.stdout.String() + "\n" + g.stderr.String() }

func (g *shownGuest) await(t *testing.T, text string) {
	t.Helper()
	until(t, text, g.state, func() bool { return strings.Contains(g.stdout.String(), text) })
}

func (g *shownGuest) say(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(g.stdin, text); err != nil {
		t.Fatal(err)
	}
}

// end waits for rayimg's exit status.
func (g *shownGuest) end(t *testing.T, want int) {
	t.Helper()
	select {
	case err := <-g.ended:
		var exit *exec.ExitError
		if got := 0; errors.As(err, &exit) && exit.ExitCode() != want || err == nil && got != want {
			t.Fatalf("%v, want status %d\n%s", err, want, g.state())
		}
	case <-time.After(3 * time.Minute):
		t.Fatalf("it does not end\n%s", g.state())
	}
}

func readPicture(t *testing.T, name string) image.Image {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// wordsThrice looks for three equal rows of a text console below each other that have a word of five letters, twice, and
// nothing else.
func wordsThrice(img image.Image) error {
	const wide, high, letters, words, rows = 8, 16, 5, 2, 3
	size := img.Bounds().Size()
	same := 0
	var last []string
	for y := 0; y+high <= size.Y; y += high {
		var row []string
		for x := 0; x+wide <= size.X; x += wide {
			row = append(row, glyph(img, image.Rect(x, y, x+wide, y+high)))
		}
		blank := row[len(row)-1]
		text, rest := row[:letters*words], row[letters*words:]
		ok := slices.Equal(text[:letters], text[letters:]) && !slices.Contains(text, blank) && len(slices.Compact(slices.Sorted(slices.Values(text)))) == letters &&
			!slices.ContainsFunc(rest, func(g string) bool { return g != blank })
		switch {
		case !ok:
			same = 0
		case same > 0 && slices.Equal(row, last):
			same++
		default:
			same = 1
		}
		if last = row; same == rows {
			return nil
		}
	}
	return errors.New("the text is not in the picture")
}

// glyph is a character cell of the console, as a text.
func glyph(img image.Image, r image.Rectangle) string {
	b := make([]byte, 0, r.Dx()*r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			red, _, _, _ := img.At(x, y).RGBA()
			b = append(b, byte(red>>15))
		}
	}
	return string(b)
}

// safeBuffer is written by a process while the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
