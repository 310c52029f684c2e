package presentation

import "fmt"

// Format is the layout of a pixel in memory. The names give the bytes in the
// order of their addresses; X is a byte that means nothing.
type Format uint8

// The formats of pixels. The zero value is none.
const (
	BGRX       Format = iota + 1 // DRM_FORMAT_XRGB8888, virtio B8G8R8X8: what nearly everybody uses
	BGRA                         // DRM_FORMAT_ARGB8888
	RGBX                         // DRM_FORMAT_XBGR8888
	RGBA                         // DRM_FORMAT_ABGR8888, and image.NRGBA
	XRGB                         // DRM_FORMAT_BGRX8888
	ARGB                         // DRM_FORMAT_BGRA8888
	XBGR                         // DRM_FORMAT_RGBX8888
	ABGR                         // DRM_FORMAT_RGBA8888
	BGR                          // DRM_FORMAT_RGB888: three bytes
	RGB                          // DRM_FORMAT_BGR888, and PPM files: three bytes
	RGB565                       // DRM_FORMAT_RGB565: two bytes, little-endian
	lastFormat                   // one more than the last
)

// layout says where the four channels of a pixel lie: the index of its byte, or
// absent.
type layout struct {
	name       string
	bytes      int
	r, g, b, a int
}

const absent = -1

var layouts = [lastFormat]layout{
	BGRX:   {"BGRX", 4, 2, 1, 0, absent},
	BGRA:   {"BGRA", 4, 2, 1, 0, 3},
	RGBX:   {"RGBX", 4, 0, 1, 2, absent},
	RGBA:   {"RGBA", 4, 0, 1, 2, 3},
	XRGB:   {"XRGB", 4, 1, 2, 3, absent},
	ARGB:   {"ARGB", 4, 1, 2, 3, 0},
	XBGR:   {"XBGR", 4, 3, 2, 1, absent},
	ABGR:   {"ABGR", 4, 3, 2, 1, 0},
	BGR:    {"BGR", 3, 2, 1, 0, absent},
	RGB:    {"RGB", 3, 0, 1, 2, absent},
	RGB565: {"RGB565", 2, absent, absent, absent, absent},
}

// Known reports whether f is one of the formats.
func (f Format) Known() bool { return f > 0 && f < lastFormat }

// Bytes returns the bytes of one pixel, or 0 for a format that is not known.
func (f Format) Bytes() int {
	if !f.Known() {
		return 0
	}
	return layouts[f].bytes
}

// String returns the name of the format.
func (f Format) String() string {
	if !f.Known() {
		return fmt.Sprintf("Format(%d)", uint8(f))
	}
	return layouts[f].name
}

// copies reports whether a pixel of from is one of f as it stands: the formats
// are the same, or differ in a byte that the destination does not look at.
func (f Format) copies(from Format) bool {
	if f == from {
		return true
	}
	a, b := layouts[f], layouts[from]
	return f != RGB565 && from != RGB565 && a.a == absent && a.bytes == b.bytes && a.r == b.r && a.g == b.g && a.b == b.b
}

// convert writes the pixels of src, in format from, to dst in format to. Both
// hold whole pixels, and dst as many as src.
func convert(dst []byte, to Format, src []byte, from Format) {
	in, out := layouts[from], layouts[to]
	for len(src) >= in.bytes && len(dst) >= out.bytes {
		r, g, b, a := in.get(from, src)
		out.put(to, dst, r, g, b, a)
		src, dst = src[in.bytes:], dst[out.bytes:]
	}
}

func (l *layout) get(f Format, p []byte) (r, g, b, a byte) {
	if f == RGB565 {
		v := uint16(p[0]) | uint16(p[1])<<8
		r, g, b = byte(v>>11), byte(v>>5&0x3f), byte(v&0x1f)
		return r<<3 | r>>2, g<<2 | g>>4, b<<3 | b>>2, 0xff
	}
	a = 0xff
	if l.a != absent {
		a = p[l.a]
	}
	return p[l.r], p[l.g], p[l.b], a
}

func (l *layout) put(f Format, p []byte, r, g, b, a byte) {
	if f == RGB565 {
		v := uint16(r>>3)<<11 | uint16(g>>2)<<5 | uint16(b>>3)
		p[0], p[1] = byte(v), byte(v>>8)
		return
	}
	p[l.r], p[l.g], p[l.b] = r, g, b
	if l.a != absent {
		p[l.a] = a
	} else if l.bytes == 4 {
		p[6-l.r-l.g-l.b] = 0xff
	}
}
