package presentation

import (
	"bytes"
	"errors"
	"image"
	"math"
	"testing"
)

func mustMemory(t testing.TB, regions ...Region) Memory {
	t.Helper()
	m, err := NewMemory(regions)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNewMemoryRefuses(t *testing.T) {
	page := make([]byte, 4096)
	many := make([]Region, MaxRegions+1)
	for i := range many {
		many[i] = Region{uint64(i) << 20, page}
	}
	for name, regions := range map[string][]Region{
		"empty":            {{0, nil}},
		"overlap":          {{4096, page}, {0, make([]byte, 4097)}},
		"same":             {{0, page}, {0, page}},
		"over the end":     {{math.MaxUint64 - 4094, page}},
		"too many regions": many,
	} {
		if _, err := NewMemory(regions); err == nil {
			t.Errorf("%s: NewMemory took it", name)
		}
	}
	if _, err := NewMemory([]Region{{math.MaxUint64 - 4095, page}, {4096, page}, {0, page}}); err != nil {
		t.Errorf("regions that touch, and one at the very end: %v", err)
	}
}

func TestMemoryBounds(t *testing.T) {
	const end = math.MaxUint64
	m := mustMemory(t, Region{0x1000, make([]byte, 0x1000)}, Region{0x2000, make([]byte, 0x1000)}, Region{end - 0xfff, make([]byte, 0x1000)})
	for _, tt := range []struct {
		r             Range
		within, whole bool // in one region, in several without a gap
	}{
		{Range{0x1000, 0x1000}, true, true},
		{Range{0x1fff, 1}, true, true},
		{Range{0x1fff, 2}, false, true},
		{Range{0x1000, 0x2000}, false, true},
		{Range{0xfff, 1}, false, false},
		{Range{0x1000, 0x2001}, false, false},
		{Range{0x3000, 1}, false, false},
		{Range{end - 0xfff, 0x1000}, true, true},
		{Range{end, 1}, true, true},
		{Range{end, 2}, false, false},
		{Range{0x1000, end}, false, false},
		{Range{0x1800, end - 0x17ff}, false, false},
	} {
		b, err := m.Bytes(tt.r)
		if (err == nil) != tt.within || err == nil && uint64(len(b)) != tt.r.Size || err != nil && !errors.Is(err, ErrOutside) {
			t.Errorf("Bytes(%#x) = %d bytes, %v", tt.r, len(b), err)
		}
		pieces, err := m.Append(nil, tt.r)
		if (err == nil) != tt.whole || err == nil && uint64(len(bytes.Join(pieces, nil))) != tt.r.Size || err != nil && !errors.Is(err, ErrOutside) {
			t.Errorf("Append(%#x) = %d pieces, %v", tt.r, len(pieces), err)
		}
	}
	if _, err := m.Append(nil, Range{0x1000, 0}); err == nil {
		t.Error("Append took a range without bytes")
	}
}

func TestFrameLimits(t *testing.T) {
	// The memory is there once and named often, so that large frames can be told.
	m := mustMemory(t, Region{0, make([]byte, 1<<20)})
	ranges := func(bytes int) []Range {
		var all []Range
		for ; bytes > 0; bytes -= 1 << 20 {
			all = append(all, Range{0, 1 << 20})
		}
		return all
	}
	for _, tt := range []struct {
		name string
		f    Frame
		ok   bool
	}{
		{"one pixel", Frame{BGRX, 1, 1, 4, 0, ranges(1)}, true},
		{"512 MiB", Frame{BGRX, 8192, 16384, 32768, 0, ranges(512 << 20)}, true},
		{"a row more", Frame{BGRX, 8192, 16384, 32769, 0, ranges(513 << 20)}, false},
		{"too wide", Frame{BGRX, MaxSide + 1, 1, 4 * (MaxSide + 1), 0, ranges(1)}, false},
		{"too high", Frame{RGB565, 1, MaxSide + 1, 2, 0, ranges(1)}, false},
		{"negative", Frame{BGRX, -1, -1, 4, 0, ranges(1)}, false},
		{"nothing", Frame{BGRX, 0, 0, 0, 0, nil}, false},
		{"no format", Frame{0, 1, 1, 4, 0, ranges(1)}, false},
		{"unknown format", Frame{lastFormat, 1, 1, 4, 0, ranges(1)}, false},
		{"stride too small", Frame{BGRX, 2, 2, 7, 0, ranges(1)}, false},
		{"stride overflows", Frame{BGRX, 1, MaxSide, math.MaxInt, 0, ranges(1)}, false},
		{"offset overflows", Frame{BGRX, 1, 1, 4, math.MaxUint64, ranges(1)}, false},
		{"the last pixel", Frame{BGRX, 1, 1, 4, 1<<20 - 4, ranges(1)}, true},
		{"behind the last pixel", Frame{BGRX, 1, 1, 4, 1<<20 - 3, ranges(1)}, false},
		{"memory outside", Frame{BGRX, 1, 1, 4, 0, []Range{{1 << 20, 4}}}, false},
		{"too many pieces", Frame{BGRX, 1, 1, 4, 0, make([]Range, MaxRanges+1)}, false},
	} {
		p, err := NewPicture(tt.f, m)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrFrame) || p.Empty() == tt.ok {
			t.Errorf("%s: NewPicture = %v, %v", tt.name, p.Bounds(), err)
		}
	}
}

func TestPart(t *testing.T) {
	bytes := make([]byte, 8*4*4)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	p, err := NewPicture(Frame{BGRA, 8, 4, 32, 0, []Range{{0, 128}}}, mustMemory(t, Region{0, bytes}))
	if err != nil {
		t.Fatal(err)
	}
	part, err := p.Part(image.Rect(2, 1, 4, 3))
	if err != nil {
		t.Fatal(err)
	}
	dst := Target{BGRA, 2, 2, 8, make([]byte, 16)}
	if n := part.Read(dst, part.Bounds()); n != 16 || dst.Bytes[0] != 40 || dst.Bytes[8] != 72 {
		t.Errorf("read %d bytes: %v", n, dst.Bytes)
	}
	for _, r := range []image.Rectangle{{}, image.Rect(0, 0, 9, 4), image.Rect(-1, 0, 1, 1), image.Rect(0, 0, 8, 5)} {
		if _, err := p.Part(r); !errors.Is(err, ErrFrame) {
			t.Errorf("Part(%v) = %v", r, err)
		}
	}
}

func TestConvert(t *testing.T) {
	colour := []byte{0xf8, 0x84, 0x08, 0xff} // R, G, B, A; without loss in RGB565
	for from := Format(1); from < lastFormat; from++ {
		for to := Format(1); to < lastFormat; to++ {
			src, dst, back := make([]byte, from.Bytes()), make([]byte, to.Bytes()), make([]byte, 4)
			convert(src, from, colour, RGBA)
			if to.copies(from) {
				copy(dst, src)
			} else {
				convert(dst, to, src, from)
			}
			if convert(back, RGBA, dst, to); !bytes.Equal(back[:3], []byte{0xff, 0x86, 0x08}) && !bytes.Equal(back[:3], colour[:3]) {
				t.Errorf("%s to %s: %x", from, to, back)
			}
			if layouts[to].a == absent && back[3] != 0xff {
				t.Errorf("%s to %s: alpha %x", from, to, back[3])
			}
		}
	}
}

// FuzzPicture reads pictures that lie in pieces of all sizes and compares with
// reading byte by byte.
func FuzzPicture(f *testing.F) {
	f.Add(uint8(BGRX), uint8(BGRX), int16(16), int16(9), int16(64), uint16(0), []byte{16, 3, 200, 7, 9}, uint8(0), uint8(0), uint8(16), uint8(9), int8(0))
	f.Add(uint8(BGRX), uint8(RGBA), int16(5), int16(3), int16(23), uint16(3), []byte{1, 2, 1, 1, 5, 77}, uint8(1), uint8(1), uint8(3), uint8(4), int8(-1))
	f.Add(uint8(RGB), uint8(BGR), int16(5), int16(3), int16(15), uint16(1), []byte{4, 4, 4, 255}, uint8(0), uint8(0), uint8(5), uint8(3), int8(2))
	f.Add(uint8(BGR), uint8(RGB565), int16(5), int16(3), int16(15), uint16(1), []byte{4, 4, 4, 255}, uint8(0), uint8(0), uint8(5), uint8(3), int8(2))
	f.Add(uint8(RGB565), uint8(RGB565), int16(16384), int16(16384), int16(-1), uint16(1), []byte{4, 4, 4, 255}, uint8(0), uint8(0), uint8(5), uint8(3), int8(2))
	f.Fuzz(func(t *testing.T, from, to uint8, width, height, stride int16, offset uint16, sizes []byte, x, y, w, h uint8, at int8) {
		ram := make([]byte, 4096)
		for i := range ram {
			ram[i] = byte(i*7 + i>>8)
		}
		m := mustMemory(t, Region{0x1000, ram[:2048]}, Region{0x1800, ram[2048:]})
		frame := Frame{Format: Format(from), Width: int(width), Height: int(height), Stride: int(stride), Offset: uint64(offset)}
		var flat []byte
		for i, n := range sizes {
			a := i * 331 % 3000
			frame.Memory = append(frame.Memory, Range{0x1000 + uint64(a), uint64(n)})
			flat = append(flat, ram[a:a+int(n)]...)
		}
		p, err := NewPicture(frame, m)
		if err != nil {
			return
		}
		checkRead(t, p, frame, flat, Format(to), image.Rect(int(x), int(y), int(x)+int(w), int(y)+int(h)), image.Pt(int(at), -int(at)))
	})
}

func checkRead(t *testing.T, p Picture, frame Frame, flat []byte, to Format, r image.Rectangle, at image.Point) {
	const side, stride = 40, 177
	got := Target{to, side, side, stride, bytes.Repeat([]byte{0xa5}, side*stride)}
	want, n := bytes.Clone(got.Bytes), 0
	size, out := frame.Format.Bytes(), to.Bytes()
	for y := r.Min.Y; y < min(r.Max.Y, frame.Height); y++ {
		for x := r.Min.X; x < min(r.Max.X, frame.Width); x++ {
			if d := image.Pt(x, y).Add(at); out > 0 && d.In(image.Rect(0, 0, side, side)) {
				src := flat[int(frame.Offset)+y*frame.Stride+x*size:][:size]
				if dst := want[d.Y*stride+d.X*out:][:out]; to.copies(frame.Format) {
					copy(dst, src)
				} else {
					convert(dst, to, src, frame.Format)
				}
				n += out
			}
		}
	}
	if copied := p.ReadAt(got, at, r); copied != n {
		t.Errorf("copied %d bytes, want %d", copied, n)
	}
	if !bytes.Equal(got.Bytes, want) {
		t.Errorf("%+v, rectangle %v at %v to %s: other pixels than reading one by one", frame, r, at, to)
	}
}

func BenchmarkRead(b *testing.B) {
	const width, height = 1920, 1080
	ram := make([]byte, width*height*4)
	m := mustMemory(b, Region{0, ram})
	f := Frame{BGRX, width, height, width * 4, 0, nil}
	for at := 0; at < len(ram); at += 4096 {
		f.Memory = append(f.Memory, Range{uint64(at), uint64(min(4096, len(ram)-at))})
	}
	p, err := NewPicture(f, m)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, len(ram))
	for _, bb := range []struct {
		name string
		read func()
	}{
		{"copy", func() { copy(dst, ram) }},
		{"pieces", func() { p.Read(Target{BGRX, width, height, width * 4, dst}, p.Bounds()) }},
		{"convert", func() { p.Read(Target{RGBA, width, height, width * 4, dst}, p.Bounds()) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(ram)))
			for b.Loop() {
				bb.read()
			}
		})
	}
}
