package showing

import (
	"image"
	"sync"
	"time"

	"github.com/rayos/rayboot/presentation"
)

// Recorder is a sink that keeps the last picture in memory.
type Recorder struct {
	size image.Point

	mu      sync.Mutex
	shown   presentation.Target
	changes int
	changed time.Time
}

// NewRecorder returns one that says that it has that size.
func NewRecorder(size image.Point) *Recorder { return &Recorder{size: size} }

// Size returns the size that the recorder was made with.
func (r *Recorder) Size() image.Point { return r.size }

// Draw keeps the pixels that have changed.
func (r *Recorder) Draw(p presentation.Picture, damage []image.Rectangle) (bytes int, err error) {
	if p.Empty() {
		return 0, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if size := p.Bounds().Size(); r.shown.Width != size.X || r.shown.Height != size.Y {
		r.shown = presentation.Target{Format: presentation.RGBX, Width: size.X, Height: size.Y, Stride: 4 * size.X, Bytes: make([]byte, 4*size.X*size.Y)}
		damage = []image.Rectangle{p.Bounds()}
	}
	for _, d := range damage {
		bytes += p.Read(r.shown, d)
	}
	r.changes++
	r.changed = time.Now()
	return bytes, nil
}

// SetCursor and MoveCursor do nothing: what is recorded is what the guest draws.
func (r *Recorder) SetCursor(presentation.Cursor) error { return nil }

// MoveCursor does nothing.
func (r *Recorder) MoveCursor(image.Point) error { return nil }

// Blank keeps the last picture.
func (r *Recorder) Blank() error { return nil }

// Close does nothing.
func (r *Recorder) Close() error { return nil }

// Changed returns a channel that never gets a value.
func (r *Recorder) Changed() <-chan struct{} { return nil }

// Changes is how often something was drawn, and when it was last.
func (r *Recorder) Changes() (n int, last time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes, r.changed
}

// Picture returns a copy of the last picture, nil where nothing was drawn.
func (r *Recorder) Picture() *image.NRGBA {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes == 0 {
		return nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, r.shown.Width, r.shown.Height))
	copy(img.Pix, r.shown.Bytes)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 0xff // a screen is not seen through
	}
	return img
}
