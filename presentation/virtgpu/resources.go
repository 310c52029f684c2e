package virtgpu

import (
	"encoding/binary"
	"image"
	"time"

	"github.com/rayos/rayboot/presentation"
)

// body reads the fields of a request one after the other. Behind its end, fields
// are 0.
type body struct {
	bytes []byte
	at    int
}

func (b *body) u32() uint32 {
	if b.at += 4; b.at > len(b.bytes) {
		return 0
	}
	return binary.LittleEndian.Uint32(b.bytes[b.at-4:])
}

func (b *body) u64() uint64 {
	low := b.u32()
	return uint64(b.u32())<<32 | uint64(low)
}

// rect reads struct virtio_gpu_rect.
func (b *body) rect() image.Rectangle {
	x, y, w, h := int(b.u32()), int(b.u32()), int(b.u32()), int(b.u32())
	return image.Rectangle{Min: image.Pt(x, y), Max: image.Pt(x+w, y+h)}
}

// short reports whether more was read than there is.
func (b *body) short() bool { return b.at > len(b.bytes) }

// bounds are the pixels of a resource.
func (r *resource) bounds() image.Rectangle { return image.Rect(0, 0, r.width, r.height) }

// covers reports whether a rectangle lies within the resource; an empty one does,
// if its corner does.
func (r *resource) covers(in image.Rectangle) bool {
	return in.Max.X <= r.width && in.Max.Y <= r.height
}

func (d *Device) create(b *body) response {
	id, format, width, height := b.u32(), formats[b.u32()], b.u32(), b.u32()
	_, taken := d.resources[id]
	switch {
	case b.short() || !format.Known() || width < 1 || width > presentation.MaxSide || height < 1 || height > presentation.MaxSide:
		return errInvalidRequest
	case id == 0 || taken:
		return errBadResource
	case len(d.resources) >= MaxResources || int(width)*int(height)*format.Bytes() > presentation.MaxFrameBytes:
		return errMemory
	}
	d.resources[id] = &resource{format: format, width: int(width), height: int(height)}
	return okNoData
}

func (d *Device) unref(b *body) response {
	id, _ := b.u32(), b.u32()
	r, ok := d.resources[id]
	if b.short() || !ok {
		return errBadResource
	}
	for i := range d.scanouts {
		if d.scanouts[i].resource == id {
			d.off(i)
		}
	}
	d.pieces -= len(r.backing)
	delete(d.resources, id)
	return okNoData
}

func (d *Device) attach(b *body) response {
	id, n := b.u32(), b.u32()
	r, ok := d.resources[id]
	switch {
	case b.short() || !ok:
		return errBadResource
	case len(r.backing) > 0 || n < 1 || n > MaxEntries || len(b.bytes)-b.at < int(n)*entryBytes:
		return errInvalidRequest
	case d.pieces+int(n) > maxAllPieces:
		return errMemory
	}
	r.backing = make([]presentation.Range, n)
	for i := range r.backing {
		r.backing[i] = presentation.Range{Addr: b.u64(), Size: uint64(b.u32())}
		b.u32() // padding
	}
	d.pieces += int(n)
	r.look(d.mem)
	d.moveScanouts(id)
	return okNoData
}

func (d *Device) detach(b *body) response {
	id, _ := b.u32(), b.u32()
	r, ok := d.resources[id]
	switch {
	case b.short() || !ok:
		return errBadResource
	case len(r.backing) == 0:
		return errInvalidRequest
	}
	d.pieces -= len(r.backing)
	r.backing, r.picture = nil, presentation.Picture{}
	d.moveScanouts(id)
	return okNoData
}

// moveScanouts tells where the pixels of a resource lie now, if it is shown.
func (d *Device) moveScanouts(resource uint32) {
	for i := range d.scanouts {
		if s := &d.scanouts[i]; s.id != 0 && s.resource == resource {
			_ = d.out.Move(s.id, d.part(s)) // the surface exists
		}
	}
}

// transfer copies nothing, as the pixels are read where the guest has them. For
// that they must lie there as in the resource, which all known drivers see to.
func (d *Device) transfer(b *body) response {
	rect, offset, id := b.rect(), b.u64(), b.u32()
	b.u32() // padding
	r, ok := d.resources[id]
	switch {
	case b.short() || !ok:
		return errBadResource
	case r.picture.Empty() || !r.covers(rect):
		return errInvalidRequest
	case offset != uint64((rect.Min.Y*r.width+rect.Min.X)*r.format.Bytes()):
		return errInvalidRequest
	}
	return okNoData
}

// setScanout says what a screen shows. Page flips come as this, with another
// resource each time. It is drawn at the flush that follows.
func (d *Device) setScanout(b *body) response {
	rect, n, id := b.rect(), b.u32(), b.u32()
	if b.short() || n >= MaxScanouts {
		return errBadScanout
	}
	if id == 0 {
		d.off(int(n))
		return okNoData
	}
	r, ok := d.resources[id]
	switch {
	case !ok:
		return errBadResource
	case rect.Empty() || !r.covers(rect):
		return errInvalidRequest
	}
	s := &d.scanouts[n]
	if s.id == 0 {
		surface, err := d.out.Create(int(n), rect.Size())
		if err != nil {
			return errMemory
		}
		s.id = surface
	}
	s.changed = s.changed || s.resource != id || s.rect != rect
	s.resource, s.rect = id, rect
	return okNoData
}

// flush shows what has changed in a resource.
func (d *Device) flush(b *body, since time.Time) response {
	rect, id := b.rect(), b.u32()
	b.u32() // padding
	r, ok := d.resources[id]
	switch {
	case b.short() || !ok:
		return errBadResource
	case !r.covers(rect):
		return errInvalidRequest
	}
	for i := range d.scanouts {
		s := &d.scanouts[i]
		if s.id == 0 || s.resource != id {
			continue
		}
		p := d.part(s)
		if p.Empty() {
			return errUnspecified
		}
		damage := rect.Sub(s.rect.Min)
		if s.changed {
			damage = p.Bounds()
		}
		if d.out.Update(s.id, presentation.Update{Picture: p, Damage: []image.Rectangle{damage}, Since: since}) != nil {
			return errUnspecified
		}
		s.changed = false
	}
	return okNoData
}
