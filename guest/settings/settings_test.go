package settings

import (
	"errors"
	"image"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rayos/rayboot/guest"
)

const example = `
[linux]
memory-mib = 2048
cpus = 4
autostart = true
screen = [1280, 800]
append = "quiet"
restarts = 0
restarts-within = "1m"
`

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(example))
	want := Default()
	want[guest.Linux] = guest.Config{
		Name: guest.Linux, MemoryMiB: 2048, CPUs: 4, Autostart: true, Screen: image.Pt(1280, 800), Append: "quiet", Within: time.Minute,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestText takes the comments out of the text for users: what stands there as the
// default is the default, but for the screen, which has none.
func TestText(t *testing.T) {
	for _, text := range []string{"", Text} {
		if got, err := Read(strings.NewReader(text)); err != nil || !reflect.DeepEqual(got, Default()) {
			t.Errorf("%.20q: %+v, %v", text, got, err)
		}
	}
	_, text, _ := strings.Cut(Text, "\n") // the first line is prose
	got, err := Read(strings.NewReader(strings.ReplaceAll(text, "\n# ", "\n")))
	want := Default()
	linux := want[guest.Linux]
	linux.Screen = image.Pt(1280, 800)
	want[guest.Linux] = linux
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestUnusable(t *testing.T) {
	for text, says := range map[string]string{
		"[linux]\nmemory = 5":                                     "there is no key linux.memory",
		"[linux]\nmemory-mib = '5'":                               "memory-mib",
		"[linux]\nmemory-mib = 5":                                 "5 MiB of memory; from 64",
		"[linux]\nmemory-mib = 99999999999999999999":              "out of range",
		"[linux]\ncpus = 0":                                       "0 processors",
		"[linux]\nscreen = [1280]":                                "write for example [1280, 800]",
		"[linux]\nscreen = [1280, 8]":                             "1280 by 8 pixels",
		"[linux]\nrestarts = -1":                                  "-1 restarts",
		"[linux]\nrestarts-within = '5 minutes'":                  "write for example",
		"[linux]\nrestarts-within = '0s'":                         "within 0s",
		"[linux]\nappend = \"a\\nb\"":                             "printable",
		"[linux]\nappend = \"" + strings.Repeat("a", 1025) + "\"": "1025 bytes",
		"[windows]\nappend = 'quiet'":                             "windows: its screen and kernel command line",
		"[freebsd]\ncpus = 1":                                     `there is no guest "freebsd"`,
		"cpus = 1":                                                "cpus",
		"[linux":                                                  "line 1",
		strings.Repeat("#", MaxBytes+1):                           "more than 65536 bytes",
	} {
		if s, err := Read(strings.NewReader(text)); !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: %+v, %v; want %q", text, s, err, says)
		}
	}
	broken := errors.New("broken")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrSettings) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(Text)
	f.Add(example)
	f.Add("[windows]\nrestarts-within = '1h'\nscreen = []")
	f.Add("linux = { cpus = 2 }\n[[windows]]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(s) != len(guest.Names()) {
			t.Fatalf("%d guests", len(s))
		}
		for name, c := range s {
			if err := c.Check(); err != nil || c.Name != name {
				t.Fatalf("%s: %+v: %v", name, c, err)
			}
		}
	})
}
