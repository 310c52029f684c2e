// Package screen finds the machine's own screen: a graphics card that Linux has a driver for, or else the frame buffer
// that the firmware has left.
package screen

import (
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/console"
	"github.com/rayos/rayboot/presentation/fbdev"
	"github.com/rayos/rayboot/presentation/kms"
)

// Screen is a screen of the machine, or a file in the place of one.
type Screen interface {
	presentation.Sink

	// Changed returns a channel that gets a value when screens were plugged or unplugged: Size may have changed, and the
	// whole picture is to be drawn. It may be nil, which never gives one.
	Changed() <-chan struct{}

	// Close blanks the screen for good.
	Close() error
}

// ErrNone is in the chain of the error of a machine without any screen.
var ErrNone = errors.New("this machine has no screen")

// Find opens the first screen that can be had. guard is for the package console; it may be "" where the running program
// calls console.RunGuard.
func Find(guard console.Guard) (Screen, error) {
	return find("/dev", func(path string) (Screen, error) { return kms.Open(path) }, func(path string) (Screen, error) { return fbdev.Open(path, guard) })
}

func find(dev string, card, frameBuffer func(path string) (Screen, error)) (Screen, error) {
	var problems error
	for _, kind := range []struct {
		pattern string
		open    func(path string) (Screen, error)
	}{{"dri/card*", card}, {"fb*", frameBuffer}} {
		paths, err := filepath.Glob(filepath.Join(dev, kind.pattern))
		if err != nil {
			return nil, err
		}
		slices.Sort(paths)
		for _, path := range paths {
			s, err := kind.open(path)
			if err == nil {
				return s, nil
			}
			problems = errors.Join(problems, err)
		}
		if problems != nil && len(paths) > 0 {
			break // the frame buffer is that of a card, which cannot be had
		}
	}
	if problems == nil {
		return nil, fmt.Errorf("%w: there is neither a card in %s nor a frame buffer", ErrNone, filepath.Join(dev, "dri"))
	}
	return nil, fmt.Errorf("find a screen: %w", problems)
}

// Describe says in words what a screen is and how large.
func Describe(s Screen) string {
	size := s.Size()
	kind := "file"
	switch s := s.(type) {
	case *kms.Screen:
		kind = s.Driver()
	case *fbdev.Screen:
		kind = "frame buffer of the firmware"
	}
	return fmt.Sprintf("%s, %s", kind, sizeText(size))
}

func sizeText(p image.Point) string { return fmt.Sprintf("%dx%d", p.X, p.Y) }
