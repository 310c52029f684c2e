package pecoff

import (
	"debug/pe"
	"errors"
	"fmt"
	"io"
)

// ErrNotApplication says that a file is not an EFI application for this machine.
var ErrNotApplication = errors.New("not an EFI application for x86-64")

// CheckApplication says whether r holds a PE file that UEFI firmware on x86-64 can
// start (UEFI 2.10 §2.1.1). Linux kernels with the EFI stub are. Where r tells its size, as
// a [bytes.Reader] does, a file that is cut short is found, too.
func CheckApplication(r io.ReaderAt) error {
	f, err := pe.NewFile(r)
	if err != nil {
		return fmt.Errorf("%w: %w; a Linux kernel needs CONFIG_EFI_STUB", ErrNotApplication, err)
	}
	defer f.Close()
	if f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 {
		return fmt.Errorf("%w: it is for %s", ErrNotApplication, machineName(f.Machine))
	}
	h, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok || h.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_APPLICATION {
		return fmt.Errorf("%w: its PE subsystem is not 10 (EFI application)", ErrNotApplication)
	}
	return checkWhole(r, f)
}

// checkWhole finds a section that reaches behind the end of the file.
func checkWhole(r io.ReaderAt, f *pe.File) error {
	sized, ok := r.(interface{ Size() int64 })
	if !ok {
		return nil
	}
	for _, s := range f.Sections {
		if end := int64(s.Offset) + int64(s.Size); s.Size > 0 && end > sized.Size() {
			return fmt.Errorf("%w: it is cut short, at %d of at least %d bytes", ErrNotApplication, sized.Size(), end)
		}
	}
	return nil
}

func machineName(m uint16) string {
	switch m {
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "arm64"
	case pe.IMAGE_FILE_MACHINE_ARMNT:
		return "32-bit arm"
	case pe.IMAGE_FILE_MACHINE_I386:
		return "32-bit x86"
	case pe.IMAGE_FILE_MACHINE_RISCV64:
		return "riscv64"
	}
	return fmt.Sprintf("PE machine %#04x", m)
}
