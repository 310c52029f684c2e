package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// Offsets in a PE image (Microsoft PE format, COFF file header and section table) and flags of its sections.
const (
	peOffset       = 0x3c // in the DOS header
	coffSections   = 6
	coffOptional   = 20 // size of the optional header
	coffSize       = 24 // with the signature before it
	sectionSize    = 8  // virtual
	sectionAddress = 12
	sectionFlags   = 36
	sectionEntry   = 40

	sectionExecute = 0x20000000
	sectionWrite   = 0x80000000
)

// guardImage makes Go code fault where it would on Linux: on page 0, and on a write to read-only data or a jump into data of
// this application. The firmware's own view of the same memory stays as it is.
func (k *Kernel) guardImage() bool {
	if !k.Machine.Hide(0) {
		return false
	}
	image := k.protocol(k.firmware.image, &loadedImageProtocol)
	if image == 0 {
		return true
	}
	base := mem.LoadWord(image + imageBase)
	header := base + uintptr(mem.Load32(base+peOffset))
	section := header + coffSize + uintptr(mem.Load16(header+coffOptional))
	for range mem.Load16(header + coffSections) {
		if !k.guardSection(base, section) {
			return false
		}
		section += sectionEntry
	}
	return true
}

func (k *Kernel) guardSection(base, section uintptr) bool {
	flags := mem.Load32(section + sectionFlags)
	start := base + uintptr(mem.Load32(section+sectionAddress))
	end := start + uintptr(mem.Load32(section+sectionSize))
	for page := start; page < end; page += pageSize {
		if !k.Machine.Protect(page, flags&sectionWrite != 0, flags&sectionExecute != 0) {
			return false
		}
	}
	return true
}
