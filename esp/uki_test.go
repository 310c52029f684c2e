package esp

import (
	"encoding/binary"
	"strconv"
	"testing"
)

// section is a section of an image made for a test.
type section struct {
	name string
	data []byte
}

// buildPE makes an image with just what leads to its sections.
func buildPE(machine uint16, sections ...section) []byte {
	const peAt, fileAlignment = 0x80, 0x200
	image := make([]byte, peAt+peHeaderBytes+len(sections)*sectionTableBytes)
	copy(image, "MZ")
	binary.LittleEndian.PutUint32(image[peOffsetAt:], peAt)
	copy(image[peAt:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(image[peAt+4:], machine)
	binary.LittleEndian.PutUint16(image[peAt+6:], uint16(len(sections)))
	for i, s := range sections {
		for len(image)%fileAlignment != 0 {
			image = append(image, 0)
		}
		row := image[peAt+peHeaderBytes+i*sectionTableBytes:]
		copy(row[:8], s.name)
		binary.LittleEndian.PutUint32(row[8:], uint32(len(s.data)))
		binary.LittleEndian.PutUint32(row[16:], uint32((len(s.data)+fileAlignment-1)&^(fileAlignment-1)))
		binary.LittleEndian.PutUint32(row[20:], uint32(len(image)))
		image = append(image, s.data...)
	}
	for len(image)%fileAlignment != 0 {
		image = append(image, 0)
	}
	return image
}

// buildUKI makes a unified kernel image for x64.
func buildUKI(t *testing.T, osrel, uname, cmdline string) []byte {
	t.Helper()
	return buildPE(0x8664,
		section{".text", []byte("stub")},
		section{".osrel", []byte(osrel)},
		section{".uname", []byte(uname)},
		section{".cmdline", []byte(cmdline)},
		section{".linux", []byte("kernel")},
	)
}

// hex writes an address for objcopy.
func hexDigits(n int) string { return "0x" + strconv.FormatInt(int64(n), 16) }
