package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
)

// kernel is a PE32+ image for this machine whose one section holds text.
func kernel(text string) string {
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	optional := pe.OptionalHeader64{
		Magic: 0x20b, SectionAlignment: 0x1000, FileAlignment: 0x200, SizeOfImage: 0x3000, SizeOfHeaders: 0x200,
		Subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, NumberOfRvaAndSizes: 16,
	}
	header := make([]byte, 0x40)
	copy(header, "MZ")
	binary.LittleEndian.PutUint32(header[0x3c:], uint32(len(header)))
	put(header)
	b.WriteString("PE\x00\x00")
	put(pe.FileHeader{Machine: peMachine, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(optional))})
	put(optional)
	section := pe.SectionHeader32{VirtualAddress: 0x1000, VirtualSize: uint32(len(text)), PointerToRawData: 0x200, SizeOfRawData: uint32(len(text))}
	copy(section.Name[:], ".text")
	put(section)
	b.Write(make([]byte, 0x200-b.Len()))
	b.WriteString(text)
	return b.String()
}
