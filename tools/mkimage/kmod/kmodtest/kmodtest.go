// Package kmodtest makes small kernel modules and kernel images for tests. They
// have all that the host tools read, and no code.
package kmodtest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// Module returns a module with the given .modinfo fields, such as
// "depends=fat".
func Module(fields ...string) []byte {
	modinfo := strings.Join(fields, "\x00") + "\x00"
	const names = "\x00.modinfo\x00.shstrtab\x00"
	const headerBytes = 64
	infoOffset := uint64(headerBytes)
	namesOffset := infoOffset + uint64(len(modinfo))
	sectionsOffset := namesOffset + uint64(len(names))
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a bytes.Buffer takes everything
	put(elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: sectionsOffset, Ehsize: headerBytes, Shentsize: 64, Shnum: 3, Shstrndx: 2,
	})
	b.WriteString(modinfo)
	b.WriteString(names)
	put(elf.Section64{})
	put(elf.Section64{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: infoOffset, Size: uint64(len(modinfo))})
	put(elf.Section64{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: namesOffset, Size: uint64(len(names))})
	return b.Bytes()
}

// Image returns the head of an EFI kernel image (a bzImage) of that release.
func Image(release string) []byte {
	b := make([]byte, 4096)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[0x3c:], 0x80)
	copy(b[0x80:], "PE\x00\x00")
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x20e:], 0x400)
	copy(b[0x600:], release+" (builder) #1 SMP\x00")
	return b
}
