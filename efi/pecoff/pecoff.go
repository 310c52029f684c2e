// Package pecoff is the link step that the Go toolchain lacks for UEFI: it
// turns a position-independent ELF executable, as `go build -buildmode=pie`
// makes it with Go's internal linker, into a PE32+ EFI application. It also
// reads PE32+ images that others made.
//
// It knows file formats only. What the program does at its entry point belongs
// to efi/goefi, how it is built to tools/mkimage/efibuild.
//
// ELF follows the System V gABI 4.1 and the psABI of the machine, PE32+ the
// Microsoft "PE Format" document as restricted by UEFI 2.10 §2.1.1. Both
// readers take their input as hostile: sizes are checked against the file and
// against fixed limits before anything is allocated.
package pecoff

import (
	"debug/elf"
	"debug/pe"
	"errors"
	"fmt"
	"io"
)

// ErrNoEntry is wrapped by the error of Convert when the program does not
// define the entry symbol: usually it does not import efi/goefi.
var ErrNoEntry = errors.New("entry symbol not found")

// Options are the choices of a conversion; the zero value is a good one.
type Options struct {
	// Entry is the symbol that the firmware calls with the image handle and
	// the system table (UEFI 2.10 §4.1). Empty means the machine's usual one:
	// _rt0_amd64_uefi or _rt0_arm64_uefi.
	Entry string
	// SBAT is the content of the .sbat section. Nil means DefaultSBAT("devel").
	SBAT []byte
}

// A machine is what differs between the processors that Convert knows.
type machine struct {
	elf      elf.Machine
	pe       uint16
	relative uint32 // the ELF relocation type "base + addend"
	entry    string
}

var machines = []machine{
	{elf.EM_X86_64, pe.IMAGE_FILE_MACHINE_AMD64, uint32(elf.R_X86_64_RELATIVE), "_rt0_amd64_uefi"},
	{elf.EM_AARCH64, pe.IMAGE_FILE_MACHINE_ARM64, uint32(elf.R_AARCH64_RELATIVE), "_rt0_arm64_uefi"},
}

// Convert reads a static position-independent ELF executable of size bytes and
// returns it as a PE32+ EFI application that firmware may load at any address.
// The same input and options give the same bytes.
//
// Symbols, debug information and what only a dynamic linker needs are left
// out. Executables that need a dynamic linker (imports, PLT, relocations other
// than the relative one) or that are not position-independent are refused.
// At most 128 MiB of program and 512 MiB of memory image are accepted.
func Convert(r io.ReaderAt, size int64, opts Options) ([]byte, error) {
	if opts.SBAT == nil {
		opts.SBAT = DefaultSBAT("devel")
	}
	if err := checkSBAT(opts.SBAT); err != nil {
		return nil, err
	}
	f, err := openELF(r, size)
	if err != nil {
		return nil, err
	}
	tags, err := f.dynamicTags()
	if err != nil {
		return nil, err
	}
	segs, err := f.segments()
	if err != nil {
		return nil, err
	}
	rela, err := relocations(segs, tags)
	if err != nil {
		return nil, err
	}
	fixups, err := relocate(f.machine, segs, rela)
	if err != nil {
		return nil, err
	}
	if opts.Entry == "" {
		opts.Entry = f.machine.entry
	}
	entry, err := f.symbol(opts.Entry)
	if err != nil {
		return nil, err
	}
	img, err := layOut(f, segs, entry, fixups)
	if err != nil {
		return nil, err
	}
	img.add(".sbat", pe.IMAGE_SCN_CNT_INITIALIZED_DATA|pe.IMAGE_SCN_MEM_READ, opts.SBAT)
	img.addRelocations(fixups)
	out, err := img.encode()
	if err != nil {
		return nil, fmt.Errorf("write PE image: %w", err)
	}
	return out, nil
}
