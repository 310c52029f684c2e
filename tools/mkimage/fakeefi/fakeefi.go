// Package fakeefi makes files for tests that look like EFI images and Linux
// kernels, but do nothing.
package fakeefi

import (
	"debug/pe"
	"encoding/binary"
	"math/rand"
)

// Kernel returns what looks like an EFI image of a Linux kernel of that
// release, for a machine of debug/pe, filled up to size with bytes that do not
// compress and depend on the release.
func Kernel(release string, machine uint16, size int) []byte {
	const peOffset, optionalBytes, headersBytes = 0x40, 240, 0x200
	b := make([]byte, max(size, 0x400))
	seed := int64(len(release))
	for _, c := range []byte(release) {
		seed = seed*31 + int64(c)
	}
	rand.New(rand.NewSource(seed)).Read(b[0x400:])
	le := binary.LittleEndian
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], peOffset)
	copy(b[peOffset:], "PE\x00\x00")
	coff := b[peOffset+4:]
	le.PutUint16(coff, machine)
	le.PutUint16(coff[16:], optionalBytes)
	optional := coff[20:]
	le.PutUint16(optional, 0x20b)                                     // PE32+
	le.PutUint32(optional[32:], 0x1000)                               // alignment of sections in memory
	le.PutUint32(optional[36:], headersBytes)                         // and in the file
	le.PutUint32(optional[56:], uint32(len(b)+0x1fff)&^uint32(0xfff)) // bytes in memory
	le.PutUint32(optional[60:], headersBytes)
	le.PutUint16(optional[68:], pe.IMAGE_SUBSYSTEM_EFI_APPLICATION)
	le.PutUint32(optional[108:], 16) // data directories
	le.PutUint16(coff[2:], 1)        // a section that holds all behind the headers
	section := optional[optionalBytes:]
	copy(section, ".text")
	le.PutUint32(section[8:], uint32(len(b)-0x400))
	le.PutUint32(section[12:], 0x1000)
	le.PutUint32(section[16:], uint32(len(b)-0x400))
	le.PutUint32(section[20:], 0x400)
	copy(b[0x202:], "HdrS")
	le.PutUint16(b[0x20e:], 0x100) // text at 0x300
	copy(b[0x300:], release+" (fake)")
	return b
}

// Application returns what looks like an EFI application for x86-64.
func Application(name string, size int) []byte {
	return Kernel(name, pe.IMAGE_FILE_MACHINE_AMD64, size)
}
