package screendump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rayos/rayboot/presentation"
)

func ppm(width, height int, pixels []byte) []byte {
	return append(fmt.Appendf(nil, "P6\n%d %d\n255\n", width, height), pixels...)
}

func TestDecode(t *testing.T) {
	d, err := decode(ppm(2, 1, []byte{1, 2, 3, 4, 5, 6}))
	if err != nil || d.size != image.Pt(2, 1) {
		t.Fatal(d, err)
	}
	p, err := d.picture()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	p.Read(presentation.Target{Format: presentation.BGRX, Width: 2, Height: 1, Stride: 8, Bytes: got}, p.Bounds())
	if want := []byte{3, 2, 1, 255, 6, 5, 4, 255}; !bytes.Equal(got, want) {
		t.Errorf("pixels %v, want %v", got, want)
	}
	for text, says := range map[string]string{
		"":                                    "no header",
		"P6\n2 1\n255":                        "no header",
		"P6" + strings.Repeat("\n", 40):       "header",
		"P5\n2 1\n255\n123456":                "header",
		"P6\n2 1\n65535\n123456":              "header",
		"P6\n2 1\n255\n12345":                 "5 bytes of 2 by 1",
		"P6\n2 1\n255\n1234567":               "7 bytes of 2 by 1",
		"P6\n0 1\n255\n":                      "0 by 1",
		"P6\n16385 1\n255\n":                  "16385 by 1",
		"P6\n99999999999999999999 1\n255\n":   "header",
		strings.Repeat("1", 100) + "\n1\n2\n": "no header",
	} {
		if _, err := decode([]byte(text)); !errors.Is(err, errPicture) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want %q", text, err, says)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(ppm(2, 1, []byte("123456")))
	f.Add([]byte("P6\n16384 16384\n255\n"))
	f.Add([]byte("P6\n-1 -1\n255\n123"))
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := decode(file)
		if err != nil {
			return
		}
		if p, err := d.picture(); err != nil || p.Bounds().Max != d.size || len(d.pixels) > len(file) {
			t.Fatal(p, err)
		}
	})
}

// FuzzChanged holds what has changed against a comparison of each pixel.
func FuzzChanged(f *testing.F) {
	f.Add(uint8(4), make([]byte, 48), append(make([]byte, 47), 1))
	f.Add(uint8(2), []byte("abcdefghijklmnopqr"), []byte("abcdefghijkxmnopqr"))
	f.Fuzz(func(t *testing.T, width uint8, before, after []byte) {
		size := image.Pt(max(int(width), 1), min(len(before), len(after))/3/max(int(width), 1))
		if size.Y == 0 {
			return
		}
		n := size.X * size.Y * 3
		a, b := dump{size: size, pixels: before[:n]}, dump{size: size, pixels: after[:n]}
		damage := b.changed(a)
		touched := map[image.Rectangle]bool{}
		for i := range size.X * size.Y {
			at, same := image.Pt(i%size.X, i/size.X), bytes.Equal(a.pixels[i*3:i*3+3], b.pixels[i*3:i*3+3])
			in := false
			for _, r := range damage {
				in = in || at.In(r)
				touched[r] = touched[r] || at.In(r) && !same
			}
			if !same && !in {
				t.Fatalf("pixel %v has changed and is not in %v", at, damage)
			}
		}
		for _, r := range damage {
			if !touched[r] || !r.In(image.Rectangle{Max: size}) {
				t.Fatalf("%v of %v has not changed, or is not within %v", r, damage, size)
			}
		}
	})
}

// fakeQEMU writes one of its pictures after the other; the real one has a test of
// whole machines.
type fakeQEMU struct {
	pictures [][]byte
	done     chan struct{}
}

func (f *fakeQEMU) Done() <-chan struct{} { return f.done }

func (f *fakeQEMU) Execute(_ context.Context, command string, arguments, _ any) error {
	if len(f.pictures) == 0 {
		close(f.done)
		return errors.New("it has gone")
	}
	p := f.pictures[0]
	f.pictures = f.pictures[1:]
	return os.WriteFile(arguments.(map[string]string)["filename"], p, 0o600)
}

// screen remembers what it was told.
type screen struct {
	told   []string
	hidden int // times that it says so, before it is shown
}

func (s *screen) Shown() bool { s.hidden--; return s.hidden < 0 }
func (s *screen) Create(output int, size image.Point) (presentation.ID, error) {
	s.told = append(s.told, fmt.Sprint("create ", output, size))
	return 7, nil
}

func (s *screen) Update(id presentation.ID, u presentation.Update) error {
	s.told = append(s.told, fmt.Sprint("update ", id, u.Picture.Bounds().Max, u.Damage))
	return nil
}

func (s *screen) Destroy(id presentation.ID) error {
	s.told = append(s.told, fmt.Sprint("destroy ", id))
	return nil
}

func TestServe(t *testing.T) {
	black, dot := make([]byte, 12), append(make([]byte, 11), 1)
	wide := make([]byte, 36)
	f := &fakeQEMU{[][]byte{ppm(2, 2, black), ppm(2, 2, black), ppm(2, 2, dot), ppm(2, 2, black), ppm(4, 3, wide), ppm(2, 2, dot), ppm(2, 2, dot)}, make(chan struct{})}
	out := &screen{}
	if err := Serve(t.Context(), f, "windows", out); err != nil {
		t.Fatal(err)
	}
	want := "create 0 (2,2); update 7 (2,2) [(0,0)-(2,2)]; update 7 (2,2) [(1,1)-(2,2)]; update 7 (2,2) [(1,1)-(2,2)]; " +
		"update 7 (4,3) [(0,0)-(4,3)]; update 7 (2,2) [(0,0)-(2,2)]; destroy 7"
	if got := strings.Join(out.told, "; "); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

// TestHidden takes no second picture while the guest is not shown, before that is old.
func TestHidden(t *testing.T) {
	for hidden, want := range map[int]time.Duration{4: 4 * shownEvery, 1000: hiddenEvery} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeQEMU{[][]byte{ppm(1, 1, []byte("abc"))}, make(chan struct{})}
			begin := time.Now()
			if err := Serve(t.Context(), f, "windows", &screen{hidden: hidden}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took != want { // QEMU goes at the second picture
				t.Errorf("hidden %d times: the second picture after %v, want %v", hidden, took, want)
			}
		})
	}
}

func TestServeFails(t *testing.T) {
	f := &fakeQEMU{[][]byte{ppm(1, 1, []byte("abc")), []byte("nonsense")}, make(chan struct{})}
	out := &screen{}
	if err := Serve(t.Context(), f, "windows", out); !errors.Is(err, errPicture) || !strings.Contains(err.Error(), "take pictures of windows") {
		t.Errorf("a file that is no picture: %v", err)
	}
	if got := out.told[len(out.told)-1]; got != "destroy 7" {
		t.Errorf("at the end: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Serve(ctx, &fakeQEMU{[][]byte{ppm(1, 1, []byte("abc"))}, make(chan struct{})}, "windows", &screen{}); err != nil {
		t.Errorf("when it was to end: %v", err)
	}
}
