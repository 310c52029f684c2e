// Command screen is a program for tests of the machine's screen: it shows test pictures as a guest's, by the commands that
// come line by line on its standard input, and says when each is done.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/rayos/rayboot/ovmf-tests/testpicture"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/console"
	"github.com/rayos/rayboot/presentation/input"
	"github.com/rayos/rayboot/presentation/screen"
)

func main() {
	if os.Args[0] == console.GuardName {
		os.Exit(console.RunGuard(os.Stdin, os.Stdout))
	}
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Println("screen: error:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	s, err := screen.Find("")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "screen: found %s\n", screen.Describe(s))
	p := &program{screen: s}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "quit" {
			break
		}
		if err := p.command(line); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", line, err), s.Close())
		}
		fmt.Fprintf(out, "screen: done %s\n", line)
	}
	return s.Close()
}

// program is a guest that draws what it is told.
type program struct {
	screen  screen.Screen
	img     *image.RGBA
	picture presentation.Picture
}

func (p *program) command(line string) error {
	var a, b, c, d, n int
	scan := func(format string, to ...any) bool {
		_, err := fmt.Sscanf(line, format, to...)
		return err == nil
	}
	switch {
	case scan("pattern %dx%d %d", &a, &b, &n):
		return p.show(testpicture.Pattern(image.Pt(a, b), n))
	case scan("patch %d %d %d %d", &a, &b, &c, &d):
		return p.patch(image.Rect(a, b, c, d))
	case scan("flips %d", &n):
		return p.flips(n)
	case scan("pointer %d %d", &a, &b):
		err := p.screen.SetCursor(presentation.Cursor{Image: testpicture.Pointer(), Hot: testpicture.PointerHot})
		return errors.Join(err, p.screen.MoveCursor(image.Pt(a, b)))
	case line == "blank":
		return p.screen.Blank()
	case line == "die":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case line == "listen":
		return listen()
	case line == "await change":
		<-p.screen.Changed()
		return p.draw(p.img.Rect)
	}
	return errors.New("no such command")
}

// ear is a guest that says what it hears.
type ear struct{ name string }

func (e ear) Send(events []input.Event) error {
	for _, event := range events {
		fmt.Printf("screen: %s hears kind %d code %d down %v\n", e.name, event.Kind, event.Code, event.Down)
	}
	return nil
}

// listen takes the keyboard and the mouse for one guest until the chord is pressed, then for another one until it is
// pressed again.
func listen() error {
	devices, err := input.Open()
	if err != nil {
		return err
	}
	var router input.Router
	for _, guest := range []ear{{"first"}, {"second"}} {
		if err := router.Show(guest); err != nil {
			return errors.Join(err, devices.Close())
		}
		fmt.Printf("screen: %s listens to %d devices\n", guest.name, len(devices.Names()))
		for chord := false; !chord; {
			if chord, err = router.Feed(<-devices.Events); err != nil {
				return errors.Join(err, devices.Close())
			}
		}
		fmt.Println("screen: chord")
	}
	return devices.Close()
}

// show has a picture as a guest's.
func (p *program) show(img *image.RGBA) error {
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: img.Pix}})
	if err != nil {
		return err
	}
	p.img = img
	p.picture, err = presentation.NewPicture(presentation.Frame{
		Format: presentation.RGBA, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Stride: img.Stride,
		Memory: []presentation.Range{{Size: uint64(len(img.Pix))}},
	}, m)
	if err != nil {
		return err
	}
	return p.draw(img.Rect)
}

func (p *program) draw(r image.Rectangle) error {
	_, err := p.screen.Draw(p.picture, []image.Rectangle{r})
	return err
}

// patch turns a piece of the picture white.
func (p *program) patch(r image.Rectangle) error {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.img.SetRGBA(x, y, color.RGBA{0xff, 0xff, 0xff, 0xff})
		}
	}
	return p.draw(r)
}

// flips shows so many pictures of one colour each.
func (p *program) flips(n int) error {
	size := p.img.Rect.Size()
	for i := range n {
		if err := p.show(testpicture.Plain(size, testpicture.Flips[i%len(testpicture.Flips)])); err != nil {
			return err
		}
	}
	return nil
}
