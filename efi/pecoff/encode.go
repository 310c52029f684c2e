package pecoff

import (
	"debug/pe"
	"encoding/binary"
)

// Where things lie in the headers (PE Format, "MS-DOS Stub" and following).
const (
	lfanewOffset = 0x3c // of the file: the offset of the PE header
	peOffset     = 0x40 // where that header is in our images
	peMagic      = "PE\x00\x00"
	pe32Plus     = 0x20b // magic of the 64-bit optional header
	fileAlign    = 0x200 // of section data in the file

	relBasedDir64 = 10 << 12 // base relocation type: a 64-bit address
)

// addRelocations appends the .reloc section: one block for each page that has
// fixups. Without any there is an empty block, for an image without a block is
// one that must not be moved.
func (img *image) addRelocations(fixups []uint64) {
	var blocks []byte
	if len(fixups) == 0 {
		blocks = appendBlock(blocks, 0, nil)
	}
	for len(fixups) > 0 {
		page := (fixups[0] - img.base) &^ (pageSize - 1)
		n := 1
		for n < len(fixups) && fixups[n]-img.base < page+pageSize {
			n++
		}
		blocks = appendBlock(blocks, uint32(page), fixups[:n])
		fixups = fixups[n:]
	}
	img.add(".reloc", pe.IMAGE_SCN_CNT_INITIALIZED_DATA|pe.IMAGE_SCN_MEM_DISCARDABLE|pe.IMAGE_SCN_MEM_READ, blocks)
}

// appendBlock appends the base relocation block of one page: its address, the
// size of the block, and 16 bits for each fixup, padded to 32 bits with an
// entry that does nothing.
func appendBlock(b []byte, page uint32, fixups []uint64) []byte {
	entries := max(len(fixups)+len(fixups)%2, 2)
	b = binary.LittleEndian.AppendUint32(b, page)
	b = binary.LittleEndian.AppendUint32(b, uint32(8+2*entries))
	for _, at := range fixups {
		b = binary.LittleEndian.AppendUint16(b, relBasedDir64|uint16(at%pageSize))
	}
	return append(b, make([]byte, 2*(entries-len(fixups)))...)
}

// encode writes the image as a file.
func (img *image) encode() ([]byte, error) {
	headers, optional := img.headers()
	out := make([]byte, peOffset, optional.SizeOfHeaders)
	copy(out, "MZ")
	binary.LittleEndian.PutUint32(out[lfanewOffset:], peOffset)
	out = append(out, peMagic...)
	for _, part := range []any{img.fileHeader(), optional, headers} {
		var err error
		if out, err = binary.Append(out, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	out = padFile(out)
	for _, s := range img.sections {
		out = padFile(append(out, s.data...))
	}
	binary.LittleEndian.PutUint32(out[checksumOffset(peOffset):], checksum(out, checksumOffset(peOffset)))
	return out, nil
}

func (img *image) fileHeader() pe.FileHeader {
	return pe.FileHeader{
		Machine:              img.machine,
		NumberOfSections:     uint16(len(img.sections)),
		SizeOfOptionalHeader: uint16(binary.Size(pe.OptionalHeader64{})),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE,
	}
}

// headers returns the section table and the optional header, whose sizes are
// sums over the sections.
func (img *image) headers() ([]pe.SectionHeader32, pe.OptionalHeader64) {
	reloc := img.sections[len(img.sections)-1]
	opt := pe.OptionalHeader64{
		Magic:               pe32Plus,
		AddressOfEntryPoint: img.entry,
		BaseOfCode:          img.sections[0].addr,
		ImageBase:           img.base,
		SectionAlignment:    pageSize,
		FileAlignment:       fileAlign,
		SizeOfImage:         img.end(),
		Subsystem:           pe.IMAGE_SUBSYSTEM_EFI_APPLICATION,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA |
			pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE | pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
		NumberOfRvaAndSizes: 16,
	}
	opt.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_BASERELOC] = pe.DataDirectory{VirtualAddress: reloc.addr, Size: reloc.size}
	table := make([]pe.SectionHeader32, len(img.sections))
	size := peOffset + len(peMagic) + binary.Size(pe.FileHeader{}) + binary.Size(opt) + binary.Size(table)
	opt.SizeOfHeaders = alignUp(uint32(size), fileAlign)
	offset := opt.SizeOfHeaders
	for i, s := range img.sections {
		raw := alignUp(uint32(len(s.data)), fileAlign)
		table[i] = pe.SectionHeader32{VirtualSize: s.size, VirtualAddress: s.addr, SizeOfRawData: raw, Characteristics: s.flags}
		copy(table[i].Name[:], s.name)
		if raw > 0 {
			table[i].PointerToRawData = offset
		}
		offset += raw
		if s.flags&pe.IMAGE_SCN_CNT_CODE != 0 {
			opt.SizeOfCode += raw
		} else {
			opt.SizeOfInitializedData += raw
		}
		opt.SizeOfUninitializedData += max(s.size, raw) - raw
	}
	return table, opt
}

// padFile fills up with zeros to the file alignment.
func padFile(b []byte) []byte {
	return append(b, make([]byte, int(alignUp(uint32(len(b)), fileAlign))-len(b))...)
}

// checksumOffset is where the checksum of an image lies whose PE header is at
// the given offset: in the optional header, behind the COFF header.
func checksumOffset(peHeader int) int {
	return peHeader + len(peMagic) + binary.Size(pe.FileHeader{}) + 64
}

// checksum computes the checksum of an image file: the sum of its 16-bit words
// with the carries added back, plus the length. The 32 bits at offset skip,
// where the sum itself is stored, count as zero.
func checksum(b []byte, skip int) uint32 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i])
		if i+1 < len(b) {
			word |= uint32(b[i+1]) << 8
		}
		if i >= skip && i < skip+4 {
			word = 0
		}
		sum += word
		sum = sum&0xffff + sum>>16
	}
	return sum + uint32(len(b))
}
