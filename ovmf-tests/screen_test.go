//go:build ovmf

package ovmftests

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"testing"
	"time"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/ovmf-tests/testpicture"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/canvas"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// screenOf is a machine's graphics.
type screenOf struct {
	name, video, options string
	driver               string
	modes                bool // it can be set to the size of the guest's picture
	cursor               bool // the card has a pointer of its own, which QEMU leaves out of pictures of the screen
	forgets              bool // the console's old text, where the program is killed
}

func everyScreen() []screenOf {
	return []screenOf{
		{name: "virtio-gpu", video: "virtio-gpu-pci", driver: "virtio_gpu", modes: true, cursor: true},
		{name: "efifb", video: "VGA", options: "rayos.skip=drm", driver: "frame buffer of the firmware"},
		{name: "bochs-display", video: "bochs-display", driver: "bochs-drm", modes: true},
		{name: "VGA", video: "VGA", driver: "bochs-drm", modes: true, forgets: true},
	}
}

// TestScreen shows pictures on real graphics cards, of which QEMU's own picture of the screen must be the same to the pixel,
// and gives the screen back to the text console in every way that there is. The short version has the two that differ most.
func TestScreen(t *testing.T) {
	t.Parallel()
	for i, s := range everyScreen() {
		if i > 1 && !*long {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.test(t)
		})
	}
}

func (s screenOf) test(t *testing.T) {
	m := bootWithProgram(t, "screen", s.options, qemu.Machine{Video: s.video})
	m.Expect(harness.Text("the boot manager cannot be told"), shellPrompt)
	time.Sleep(5 * time.Second) // until the prompt is on the screen, too
	text := m.Screenshot()
	size := text.Bounds().Size()
	show := func(format string, args ...any) {
		t.Helper()
		command := fmt.Sprintf(format, args...)
		m.Type(command + "\r")
		m.Expect(harness.Text("screen: done " + command))
	}
	start := func() {
		t.Helper()
		m.Type("screen\r")
		m.Expect(harness.Text(fmt.Sprintf("screen: found %s, %dx%d", s.driver, size.X, size.Y)))
	}
	start()

	picture := testpicture.Pattern(size, 1)
	show("pattern %dx%d 1", size.X, size.Y)
	m.ExpectScreen(picture)
	draw.Draw(picture, image.Rect(100, 200, 300, 250), image.White, image.Point{}, draw.Src)
	show("patch 100 200 300 250")
	m.ExpectScreen(picture)
	for i, guest := range []image.Point{{1024, 768}, {320, 240}} {
		screen := size
		if s.modes && guest.X == 1024 {
			screen = guest
		}
		picture = testpicture.Pattern(guest, i+2)
		show("pattern %dx%d %d", guest.X, guest.Y, i+2)
		m.ExpectScreen(onScreen(t, picture, screen, nil))
	}
	show("pointer 160 120")
	if s.cursor {
		m.ExpectScreen(onScreen(t, picture, size, nil))
	} else {
		m.ExpectScreen(onScreen(t, picture, size, &image.Point{X: 160, Y: 120}))
	}

	show("blank")
	m.ExpectScreen(text)
	show("pattern %dx%d 4", size.X, size.Y)
	s.flips(t, m, size)
	m.Type("quit\r")
	m.ExpectScreen(text)

	start()
	show("pattern %dx%d 5", size.X, size.Y)
	m.ExpectScreen(testpicture.Pattern(size, 5))
	m.Type("die\r")
	if s.forgets { // until the next program gives the screen back
		start()
		show("pattern %dx%d 6", size.X, size.Y)
		m.Type("quit\r")
	}
	m.ExpectScreen(text)

	s.keys(m)
	m.ExpectScreen(text) // where a shell waits for keys
	m.Type("echo all is well\r")
	m.Finish(harness.Pattern("^all is well$"))
}

// keys types on the machine's keyboard while one guest is shown, and another one after it.
func (s screenOf) keys(m *harness.Machine) {
	hears := func(guest string, kind, code int, down bool) harness.Expectation {
		return harness.Text(fmt.Sprintf("screen: %s hears kind %d code %d down %v", guest, kind, code, down))
	}
	m.Type("screen\r")
	m.Expect(harness.Text("screen: found"))
	m.Type("listen\r")
	m.Expect(harness.Text("screen: first listens to"))
	m.Press("a")
	m.Expect(hears("first", 1, 30, true), hears("first", 1, 30, false))
	m.PressChord("ctrl", "alt", "esc")
	m.Expect(
		hears("first", 1, 29, true), hears("first", 1, 56, true), hears("first", 1, 56, false), hears("first", 1, 29, false),
		harness.Text("screen: chord"), harness.Text("screen: second listens to"),
	)
	m.Press("b")
	m.Expect(hears("second", 1, 48, true), hears("second", 1, 48, false))
	m.Never(hears("first", 1, 48, true), hears("first", 1, 1, true), hears("second", 1, 29, false), hears("second", 1, 30, true))
	m.PressChord("ctrl", "alt", "esc")
	m.Expect(harness.Text("screen: done listen"))
	m.Type("quit\r")
}

// flips looks at the screen while one picture follows the other: none is ever seen half.
func (s screenOf) flips(t *testing.T, m *harness.Machine, size image.Point) {
	t.Helper()
	m.Type("pointer 0 5000\rflips 120\r") // the pointer is outside
	for done := harness.Text("screen: done flips"); m.Count(done) == 0; {
		shot := m.Screenshot()
		first := color.RGBAModel.Convert(shot.At(0, 0)).(color.RGBA)
		if !s.modes || first != red && first != green && first != blue {
			continue // the firmware's one buffer has no flips; or the picture before them is still there
		}
		for y := range size.Y {
			for x := range size.X {
				if c := color.RGBAModel.Convert(shot.At(x, y)); c != first {
					t.Fatalf("a picture is seen half: pixel %d, %d is %v beside %v", x, y, c, first)
				}
			}
		}
	}
	m.Expect(harness.Text("screen: done flips 120"))
	m.ExpectScreen(testpicture.Plain(size, blue))
}

// The colours of the pictures that follow each other.
var red, green, blue = testpicture.Flips[0], testpicture.Flips[1], testpicture.Flips[2]

// onScreen is what a screen of that size shows of a picture.
func onScreen(t *testing.T, picture *image.RGBA, size image.Point, pointer *image.Point) *image.RGBA {
	t.Helper()
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: picture.Pix}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := presentation.NewPicture(presentation.Frame{
		Format: presentation.RGBA, Width: picture.Rect.Dx(), Height: picture.Rect.Dy(), Stride: picture.Stride,
		Memory: []presentation.Range{{Size: uint64(len(picture.Pix))}},
	}, m)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rectangle{Max: size})
	c := canvas.New(presentation.Target{Format: presentation.RGBX, Width: size.X, Height: size.Y, Stride: img.Stride, Bytes: img.Pix})
	var painter canvas.Painter
	if pointer != nil {
		painter.SetCursor(presentation.Cursor{Image: testpicture.Pointer(), Hot: testpicture.PointerHot})
		painter.MoveCursor(*pointer)
	}
	var dirty presentation.Damage
	painter.Read(p, []image.Rectangle{p.Bounds()}, size, presentation.RGBX)
	painter.Paint(c, p, []image.Rectangle{p.Bounds()}, &dirty)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 0xff
	}
	return img
}
