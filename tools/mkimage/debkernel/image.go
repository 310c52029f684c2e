package debkernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrNotEFI is reported for a kernel that UEFI firmware cannot start.
var ErrNotEFI = errors.New("not an EFI kernel image")

// Offsets in a bzImage: Linux Documentation/arch/x86/boot.rst (the real-mode
// header) and PE format §MS-DOS stub, §COFF header.
const (
	headBytes       = 64 << 10 // the setup code with its strings is smaller than 33 KiB
	offPEPointer    = 0x3c
	offHdrS         = 0x202
	offVersionText  = 0x20e // relative to 0x200
	maxReleaseBytes = 64
)

// checkImage reads the kernel image at path and returns its release, such as
// 6.1.0-50-amd64.
func checkImage(path string) (release string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read kernel image: %w", err)
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, headBytes))
	if err != nil {
		return "", fmt.Errorf("read kernel image: %w", err)
	}
	release, err = imageRelease(head)
	if err != nil {
		return "", fmt.Errorf("kernel %s: %w", path, err)
	}
	return release, nil
}

// imageRelease checks that b begins like an EFI application which is a Linux
// bzImage, and returns the release in its header.
func imageRelease(b []byte) (string, error) {
	if len(b) < 0x210 || string(b[:2]) != "MZ" {
		return "", fmt.Errorf("%w: it does not begin with MZ (is CONFIG_EFI_STUB off?)", ErrNotEFI)
	}
	if pe := binary.LittleEndian.Uint32(b[offPEPointer:]); uint64(pe)+4 > uint64(len(b)) || string(b[pe:pe+4]) != "PE\x00\x00" {
		return "", fmt.Errorf("%w: it has no PE header", ErrNotEFI)
	}
	if string(b[offHdrS:offHdrS+4]) != "HdrS" {
		return "", fmt.Errorf("%w: an EFI application, but no x86 Linux kernel (no HdrS in its boot header)", ErrNotEFI)
	}
	off := 0x200 + int(binary.LittleEndian.Uint16(b[offVersionText:]))
	if off == 0x200 || off >= len(b) {
		return "", fmt.Errorf("%w: its boot header names no version", ErrNotEFI)
	}
	text := b[off:min(off+maxReleaseBytes, len(b))]
	if i := bytes.IndexAny(text, " \x00"); i >= 0 {
		text = text[:i]
	}
	if len(text) == 0 || strings.ContainsFunc(string(text), func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
		return "", fmt.Errorf("%w: its version %q is no kernel release", ErrNotEFI, text)
	}
	return string(text), nil
}
