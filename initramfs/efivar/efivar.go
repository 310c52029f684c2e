// Package efivar reads the text variables that a boot loader leaves for the
// system, through Linux's efivarfs, and removes variables. It writes none.
//
// Names and formats: systemd's Boot Loader Interface (vendor GUID [Loader]) and
// the RayOS boot manager's own hand-over (vendor GUID [RayOS]).
package efivar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf16"
)

// Vendor GUIDs, spelled as efivarfs does.
const (
	Loader = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
	RayOS  = "8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10"
)

const (
	attributeBytes = 4 // efivarfs puts the attributes before the value
	maxValueBytes  = 64 << 10
)

// ErrFormat is reported for a variable that is no UTF-16 text.
var ErrFormat = errors.New("not a text variable")

// Text reads a variable that holds one line of UTF-16LE text with a NUL at its
// end. A variable that does not exist is fs.ErrNotExist.
func Text(efivarfs fs.FS, name, vendor string) (string, error) {
	text, err := Lines(efivarfs, name, vendor)
	if strings.Contains(text, "\n") {
		return "", fmt.Errorf("read EFI variable %s: %w: more than one line", name, ErrFormat)
	}
	return text, err
}

// Lines is [Text] for a variable of any number of lines.
func Lines(efivarfs fs.FS, name, vendor string) (string, error) {
	f, err := efivarfs.Open(name + "-" + vendor)
	if err != nil {
		return "", fmt.Errorf("read EFI variable %s: %w", name, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxValueBytes+1))
	if err != nil {
		return "", fmt.Errorf("read EFI variable %s: %w", name, err)
	}
	text, err := decode(raw)
	if err != nil {
		return "", fmt.Errorf("read EFI variable %s: %w", name, err)
	}
	return text, nil
}

func decode(raw []byte) (string, error) {
	if len(raw) < attributeBytes || len(raw) > maxValueBytes || len(raw)%2 != 0 {
		return "", fmt.Errorf("%w: %d bytes", ErrFormat, len(raw))
	}
	raw = raw[attributeBytes:]
	units := make([]uint16, 0, len(raw)/2)
	for ; len(raw) > 0; raw = raw[2:] {
		unit := binary.LittleEndian.Uint16(raw)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	text := string(utf16.Decode(units))
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\uFFFD' }) {
		return "", fmt.Errorf("%w: control characters or broken UTF-16", ErrFormat)
	}
	return text, nil
}
