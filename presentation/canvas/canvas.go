// Package canvas puts a guest's picture, and the pointer on top of it, into the memory of a screen. It owns where on the
// screen a picture is, how it is scaled, and which pixels of the screen have changed; how the memory comes to the screen
// is the business of the packages kms and fbdev.
//
// A picture that has the size of the screen is copied, each pixel once. One of another size is copied into a shadow of the
// picture, from which it is scaled.
package canvas

import (
	"image"

	"golang.org/x/image/draw"

	"github.com/rayos/rayboot/presentation"
)

// Canvas is the memory of a screen, or one of its two, and what was painted into it.
type Canvas struct {
	presentation.Target
	view  View    // of what was painted last
	under overlay // what the pointer covers
}

// New takes memory in which everything is black.
func New(t presentation.Target) *Canvas { return &Canvas{Target: t} }

func (c *Canvas) bounds() image.Rectangle { return image.Rect(0, 0, c.Width, c.Height) }

// Painter paints the pictures of one guest. The zero value has had none.
type Painter struct {
	view    View
	shadow  presentation.Target // of the picture, in a format of the screen; only where it is scaled
	scratch presentation.Target // of the screen; only where its format cannot be scaled into
	pointer pointer
}

// View returns the view of the picture that was read last.
func (p *Painter) View() View { return p.view }

// Read prepares for painting a picture on screens of that size and format, in which only the pixels in damage have
// changed since the call before. It returns the bytes that it had to copy for that.
func (p *Painter) Read(picture presentation.Picture, damage []image.Rectangle, screen image.Point, format presentation.Format) (bytes int) {
	view := Fit(picture.Bounds().Size(), screen)
	if view != p.view {
		p.view, p.shadow, p.scratch = view, presentation.Target{}, presentation.Target{}
		damage = []image.Rectangle{picture.Bounds()}
	}
	if !view.Scaled() {
		return 0
	}
	if format.Bytes() != 4 {
		format = presentation.RGBX
	}
	if p.shadow.Bytes == nil {
		p.shadow = memory(view.Picture, format)
	}
	for _, r := range damage {
		bytes += picture.Read(p.shadow, r)
	}
	return bytes
}

// memory makes room for a picture.
func memory(size image.Point, f presentation.Format) presentation.Target {
	stride := size.X * f.Bytes()
	return presentation.Target{Format: f, Width: size.X, Height: size.Y, Stride: stride, Bytes: make([]byte, stride*size.Y)}
}

// Paint brings a canvas up to date: the pixels of rects, which lie in the picture, and the pointer. It adds to dirty what
// has changed in the canvas, and returns the bytes written in copying pixels. The picture is the one that was read last.
func (p *Painter) Paint(c *Canvas, picture presentation.Picture, rects []image.Rectangle, dirty *presentation.Damage) (bytes int) {
	dirty.Add(c.under.lift(c.Target))
	if c.view != p.view {
		clear(c.Bytes)
		c.view, rects = p.view, []image.Rectangle{picture.Bounds()}
		dirty.Add(c.bounds())
	}
	for _, r := range rects {
		on := p.view.Covers(r)
		if !p.view.Scaled() {
			bytes += picture.ReadAt(c.Target, p.view.Rect.Min, r)
		} else if !on.Empty() {
			bytes += p.scale(c, on)
		}
		dirty.Add(on)
	}
	dirty.Add(c.under.put(c.Target, &p.pointer, p.view))
	return bytes
}

// scale paints the pixels of on from the shadow.
func (p *Painter) scale(c *Canvas, on image.Rectangle) (bytes int) {
	src := asImage(p.shadow)
	if c.Format == p.shadow.Format {
		draw.ApproxBiLinear.Scale(asImage(c.Target).SubImage(on).(*image.RGBA), p.view.Rect, src, src.Rect, draw.Src, nil)
		return on.Dx() * on.Dy() * c.Format.Bytes()
	}
	if p.scratch.Bytes == nil {
		p.scratch = memory(image.Pt(c.Width, c.Height), p.shadow.Format)
	}
	draw.ApproxBiLinear.Scale(asImage(p.scratch).SubImage(on).(*image.RGBA), p.view.Rect, src, src.Rect, draw.Src, nil)
	return on.Dx()*on.Dy()*p.scratch.Format.Bytes() + asPicture(p.scratch).Read(c.Target, on)
}

// asImage has the scaler, for which one channel of four is as good as another, take any format of four bytes for RGBA.
func asImage(t presentation.Target) *image.RGBA {
	return &image.RGBA{Pix: t.Bytes, Stride: t.Stride, Rect: image.Rect(0, 0, t.Width, t.Height)}
}

// asPicture lets memory of ours be read as a guest's is.
func asPicture(t presentation.Target) presentation.Picture {
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: t.Bytes}})
	if err != nil {
		return presentation.Picture{} // there are no pixels
	}
	p, err := presentation.NewPicture(presentation.Frame{
		Format: t.Format, Width: t.Width, Height: t.Height, Stride: t.Stride,
		Memory: []presentation.Range{{Size: uint64(len(t.Bytes))}},
	}, m)
	if err != nil {
		return presentation.Picture{} // nor are there in what is too large for a picture
	}
	return p
}
