package pecoff

import "fmt"

// LoadedSection finds a section in an image as firmware has loaded it: memory
// begins with the image's headers, and sections lie at their addresses (UEFI 2.10
// §2.1.1). It returns the section's bytes in memory, and whether there is one of
// that name. Of several, the first counts.
func LoadedSection(memory []byte, name string) (data []byte, found bool, err error) {
	h, err := parseHeaders(memory)
	if err != nil {
		return nil, false, fmt.Errorf("read loaded image: %w", err)
	}
	i := h.find(name)
	if i < 0 {
		return nil, false, nil
	}
	s := h.table[i]
	start, size := uint64(s.VirtualAddress), uint64(s.VirtualSize)
	if start+size > uint64(len(memory)) {
		return nil, false, fmt.Errorf("read loaded image: section %s: %d bytes at %#x are beyond its %d bytes", name, size, start, len(memory))
	}
	return memory[start:][:size:size], true, nil
}
