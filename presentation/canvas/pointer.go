package canvas

import (
	"image"
	"image/draw"

	"github.com/rayos/rayboot/presentation"
)

// pointer is the guest's mouse pointer.
type pointer struct {
	presentation.Cursor
	at image.Point // of its hot spot in the picture
}

// SetCursor has the pointer painted from the next Paint on; a cursor without an image has none.
func (p *Painter) SetCursor(c presentation.Cursor) { p.pointer.Cursor = c }

// MoveCursor puts the pointer's hot spot at a point of the picture.
func (p *Painter) MoveCursor(at image.Point) { p.pointer.at = at }

// overlay is the pointer on a canvas, and the pixels that it covers. A pointer is never scaled.
type overlay struct {
	rect  image.Rectangle
	saved presentation.Target
}

// lift takes the pointer off and returns where it was.
func (o *overlay) lift(t presentation.Target) (was image.Rectangle) {
	if o.rect.Empty() {
		return image.Rectangle{}
	}
	asPicture(o.saved).ReadAt(t, o.rect.Min, image.Rectangle{Max: o.rect.Size()})
	was, o.rect = o.rect, image.Rectangle{}
	return was
}

// put puts the pointer on and returns where it is.
func (o *overlay) put(t presentation.Target, p *pointer, v View) (is image.Rectangle) {
	if p.Image == nil || v.Rect.Empty() {
		return image.Rectangle{}
	}
	corner := v.Point(p.at).Sub(p.Hot)
	whole := image.Rectangle{Min: corner, Max: corner.Add(p.Image.Rect.Size())}
	r := whole.Intersect(image.Rect(0, 0, t.Width, t.Height))
	under, err := asPicture(t).Part(r)
	if err != nil {
		return image.Rectangle{} // no part of it is on the screen
	}
	if o.saved.Width != r.Dx() || o.saved.Height != r.Dy() || o.saved.Format != t.Format {
		o.saved = memory(r.Size(), t.Format)
	}
	under.Read(o.saved, under.Bounds())
	mixed := memory(r.Size(), presentation.RGBA)
	asPicture(o.saved).Read(mixed, under.Bounds())
	img := asImage(mixed)
	draw.Draw(img, img.Rect, p.Image, p.Image.Rect.Min.Add(r.Min.Sub(corner)), draw.Over)
	asPicture(mixed).ReadAt(t, r.Min, img.Rect)
	o.rect = r
	return r
}
