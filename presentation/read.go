package presentation

import "image"

// Target is memory that pixels are written to.
type Target struct {
	Format        Format
	Width, Height int // pixels
	Stride        int // bytes from one row to the next
	Bytes         []byte
}

// Image copies the picture out of the guest's memory. Nothing of it is transparent, as
// a screen is not.
func (p Picture) Image() *image.NRGBA {
	img := image.NewNRGBA(p.Bounds())
	p.Read(Target{Format: RGBA, Width: p.width, Height: p.height, Stride: img.Stride, Bytes: img.Pix}, p.Bounds())
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 0xff
	}
	return img
}

// Read copies the pixels of r to the same place of dst, each once, and returns
// the bytes written. What of r lies outside of the picture or of dst is left
// out; it never writes elsewhere. Formats are converted where they differ.
func (p Picture) Read(dst Target, r image.Rectangle) int { return p.ReadAt(dst, image.Point{}, r) }

// ReadAt is [Picture.Read] with the picture's corner at the point at of dst.
func (p Picture) ReadAt(dst Target, at image.Point, r image.Rectangle) int {
	r = r.Intersect(p.Bounds()).Intersect(dst.bounds().Sub(at))
	if r.Empty() || p.Empty() || !p.format.Known() {
		return 0
	}
	size := dst.Format.Bytes()
	to := (r.Min.Y+at.Y)*dst.Stride + (r.Min.X+at.X)*size
	from := p.offset + r.Min.Y*p.stride + r.Min.X*p.format.Bytes()
	width, rows := r.Dx(), r.Dy()
	if dst.Format.copies(p.format) && width*size == p.stride && p.stride == dst.Stride {
		width, rows = width*rows, 1 // the rows follow each other without a gap
	}
	i := p.piece(from)
	for ; rows > 0; rows-- {
		i = p.row(dst.Bytes[to:to+width*size], dst.Format, from, width, i)
		from, to = from+p.stride, to+dst.Stride
	}
	return r.Dx() * r.Dy() * size
}

// bounds returns the pixels that dst has room for.
func (t Target) bounds() image.Rectangle {
	size := t.Format.Bytes()
	if size == 0 || t.Width < 1 || t.Width > MaxSide || t.Stride < t.Width*size || t.Stride > MaxFrameBytes || len(t.Bytes) < t.Width*size {
		return image.Rectangle{}
	}
	rows := (len(t.Bytes)-t.Width*size)/t.Stride + 1
	return image.Rect(0, 0, t.Width, min(t.Height, rows))
}

// row copies width pixels from the byte offset from on, and returns the piece
// that the last one lies in. i is a piece at or before the first one.
func (p *Picture) row(dst []byte, to Format, from, width, i int) int {
	left := width * p.format.Bytes()
	straight := to.copies(p.format)
	for {
		for from >= p.starts[i]+len(p.pieces[i]) {
			i++
		}
		src := p.pieces[i][from-p.starts[i]:]
		if len(src) > left {
			src = src[:left]
		}
		if straight {
			copy(dst, src)
			dst = dst[len(src):]
		} else {
			dst, src = p.convert(dst, to, src, from, i)
		}
		if from, left = from+len(src), left-len(src); left == 0 {
			return i
		}
	}
}

// convert converts the whole pixels of src, or the first one alone where src
// ends within it. It returns what is left of dst, and what of src was used.
func (p *Picture) convert(dst []byte, to Format, src []byte, from, i int) (rest, used []byte) {
	size, out := p.format.Bytes(), to.Bytes()
	if n := len(src) / size; n > 0 {
		convert(dst[:n*out], to, src[:n*size], p.format)
		return dst[n*out:], src[:n*size]
	}
	var pixel [4]byte
	for k := range size {
		for from+k >= p.starts[i]+len(p.pieces[i]) {
			i++
		}
		pixel[k] = p.pieces[i][from+k-p.starts[i]]
	}
	convert(dst[:out], to, pixel[:size], p.format)
	return dst[out:], pixel[:size]
}
