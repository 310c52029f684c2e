package virtgpu

import (
	"image"

	"github.com/rayos/rayboot/presentation"
)

// Cursor carries out a request of the cursor queue, which has no answer.
func (d *Device) Cursor(request []byte) {
	b := body{bytes: request}
	command := Command(b.u32())
	b.at = headerBytes
	n, x, y := b.u32(), b.u32(), b.u32()
	b.u32() // padding
	id, hotX, hotY := b.u32(), b.u32(), b.u32()
	at := image.Pt(int(int32(x)), int(int32(y)))
	if b.short() || n >= MaxScanouts || d.scanouts[n].id == 0 || command != UpdateCursor && command != MoveCursor {
		d.refused++
		return
	}
	d.counts[command]++
	if command == MoveCursor {
		d.out.MoveCursor(d.scanouts[n].id, at)
		return
	}
	c := presentation.Cursor{Hot: image.Pt(int(hotX), int(hotY))}
	if r, ok := d.resources[id]; ok && id != 0 {
		c.Image = r.pointer()
	}
	if !c.Hot.In(image.Rect(0, 0, presentation.MaxCursorSide, presentation.MaxCursorSide)) {
		c.Hot = image.Point{}
	}
	d.out.SetCursor(d.scanouts[n].id, c, at)
}

// pointer returns the image of a resource, or nil if it is none for a cursor.
// Drivers give it with its colours multiplied by alpha.
func (r *resource) pointer() *image.NRGBA {
	if r.picture.Empty() || r.width > presentation.MaxCursorSide || r.height > presentation.MaxCursorSide {
		return nil
	}
	img := image.NewNRGBA(r.bounds())
	to := presentation.Target{Format: presentation.RGBA, Width: r.width, Height: r.height, Stride: img.Stride, Bytes: img.Pix}
	r.picture.Read(to, r.bounds())
	for p := img.Pix; len(p) >= 4; p = p[4:] {
		for i := range 3 {
			if alpha := int(p[3]); alpha != 0 {
				p[i] = byte(min(int(p[i])*255/alpha, 255))
			}
		}
	}
	return img
}
