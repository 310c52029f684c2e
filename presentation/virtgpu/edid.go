package virtgpu

import (
	"encoding/binary"
	"image"
)

// standardModes are offered besides the preferred one (VESA E-EDID 1.4 §3.9).
var standardModes = [8]image.Point{
	{1920, 1080}, {1680, 1050}, {1600, 900}, {1440, 900}, {1280, 1024}, {1280, 800}, {1280, 720}, {1024, 768},
}

// EDID returns the description of a monitor that prefers a size in pixels at 60
// Hz (VESA E-EDID 1.4). Sizes that it cannot tell are cut to 4095.
func EDID(size image.Point) [128]byte {
	size = image.Pt(min(size.X, 4095), min(size.Y, 4095))
	e := [128]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}
	binary.BigEndian.PutUint16(e[8:], ('R'-'@')<<10|('A'-'@')<<5|('Y'-'@'))
	binary.LittleEndian.PutUint16(e[10:], 1) // product
	e[17] = 2026 - 1990
	e[18], e[19] = 1, 4
	e[20] = 0xa5                                        // digital, 8 bits per colour, DisplayPort
	e[21], e[22] = byte(size.X/38+1), byte(size.Y/38+1) // centimetres at 96 dpi
	e[23] = 120                                         // gamma 2.2
	e[24] = 0x06                                        // sRGB, the first detailed timing is the preferred one
	copy(e[25:], []byte{0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54})
	e[35], e[36] = 0x21, 0x08 // 640x480, 800x600, 1024x768
	for i, m := range standardModes {
		e[38+2*i], e[39+2*i] = byte(m.X/8-31), aspect(m)
	}
	detailed(e[54:72], size)
	copy(e[72:], "\x00\x00\x00\xfd\x00\x32\x4b\x1e\xff\x41\x00\x0a      ") // 50-75 Hz, 30-255 kHz
	copy(e[90:], "\x00\x00\x00\xfc\x00RayOS\n       ")
	e[111] = 0x10 // an unused descriptor
	var sum byte
	for _, b := range e[:127] {
		sum += b
	}
	e[127] = -sum
	return e
}

// aspect returns the second byte of a standard timing: aspect ratio, 60 Hz.
func aspect(m image.Point) byte {
	switch {
	case m.X*9 == m.Y*16:
		return 3 << 6
	case m.X*4 == m.Y*5:
		return 2 << 6
	case m.X*3 == m.Y*4:
		return 1 << 6
	}
	return 0
}

// detailed fills a detailed timing (VESA E-EDID 1.4 §3.10.2) with the reduced
// blanking of VESA CVT 1.2.
func detailed(d []byte, size image.Point) {
	const hBlank, hFront, hSync = 160, 48, 32
	const vFront, vSync, vBlankMin = 3, 10, 20
	vBlank := max(size.Y*3/100, vBlankMin)
	clock := (size.X + hBlank) * (size.Y + vBlank) * 60 / 10000 // of 10 kHz
	binary.LittleEndian.PutUint16(d, uint16(min(clock, 0xffff)))
	d[2], d[3], d[4] = byte(size.X), hBlank, byte(size.X>>8<<4)
	d[5], d[6], d[7] = byte(size.Y), byte(vBlank), byte(size.Y>>8<<4)
	d[8], d[9] = hFront, hSync
	d[10] = vFront<<4 | vSync
	mm := image.Pt(size.X*254/960, size.Y*254/960)
	d[12], d[13], d[14] = byte(mm.X), byte(mm.Y), byte(mm.X>>8<<4|mm.Y>>8)
	d[17] = 0x1a // separate syncs, horizontal positive
}
