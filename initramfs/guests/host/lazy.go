package host

import (
	"image"
	"sync"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/screen"
)

// lazyScreen is the machine's screen, looked for when it is needed. A machine that has none now may have one later.
type lazyScreen struct {
	find func() (screen.Screen, error)
	news chan struct{} // has a value when screens were plugged or unplugged

	mu   sync.Mutex
	real screen.Screen // nil until one was found
}

var _ screen.Screen = (*lazyScreen)(nil)

func newLazyScreen(find func() (screen.Screen, error)) *lazyScreen {
	return &lazyScreen{find: find, news: make(chan struct{}, 1)}
}

// defaultSize is what guests are told of a machine without a screen.
var defaultSize = image.Pt(1024, 768)

// open finds the screen.
func (l *lazyScreen) open() (screen.Screen, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real != nil {
		return l.real, nil
	}
	s, err := l.find()
	if err != nil {
		return nil, err
	}
	l.real = s
	if news := s.Changed(); news != nil {
		go l.pass(news)
	}
	return s, nil
}

// pass passes on news of the screen until it is closed.
func (l *lazyScreen) pass(news <-chan struct{}) {
	for range news {
		select {
		case l.news <- struct{}{}:
		default: // it will be seen
		}
	}
}

// Changed returns a channel that gets a value when screens were plugged or unplugged.
func (l *lazyScreen) Changed() <-chan struct{} { return l.news }

// Close gives the screen back for good.
func (l *lazyScreen) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real == nil {
		return nil
	}
	return l.real.Close()
}

// Size returns the size of the screen, or [defaultSize] without one.
func (l *lazyScreen) Size() image.Point {
	s, err := l.open()
	if err != nil || s.Size() == (image.Point{}) {
		return defaultSize
	}
	return s.Size()
}

// Draw shows a picture.
func (l *lazyScreen) Draw(p presentation.Picture, damage []image.Rectangle) (int, error) {
	s, err := l.open()
	if err != nil {
		return 0, err
	}
	return s.Draw(p, damage)
}

// SetCursor changes the pointer of what is shown.
func (l *lazyScreen) SetCursor(c presentation.Cursor) error {
	s, err := l.open()
	if err != nil {
		return err
	}
	return s.SetCursor(c)
}

// MoveCursor moves the pointer of what is shown.
func (l *lazyScreen) MoveCursor(at image.Point) error {
	s, err := l.open()
	if err != nil {
		return err
	}
	return s.MoveCursor(at)
}

// Blank gives the screen back to the text console.
func (l *lazyScreen) Blank() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real == nil {
		return nil
	}
	return l.real.Blank()
}
