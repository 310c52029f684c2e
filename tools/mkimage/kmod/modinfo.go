// Package kmod answers which files must be loaded, and in which order, so
// that a Linux kernel gets a set of wanted modules. It reads the modules
// themselves (the .modinfo section of each file) and the kernel's
// modules.builtin, so it needs no depmod run and no modules.dep.
//
// It does not load anything: the order is packed into the initramfs and init
// follows it.
package kmod

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxModinfoBytes bounds the .modinfo section; those of Linux 6.1 stay below
// 100 KiB (the PCI aliases of the large graphics drivers).
const maxModinfoBytes = 4 << 20

// ErrNotModule is reported for a file that is no kernel module.
var ErrNotModule = errors.New("not a kernel module")

// Info is the part of a module's .modinfo that decides about loading.
type Info struct {
	Depends []string // modules whose symbols it uses, canonical names
	SoftPre []string // modules or aliases that it wants loaded before, canonical names
}

// Canonical returns the name under which the kernel knows a module: the file
// name says usb-storage, the kernel usb_storage.
func Canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// ReadInfo reads the .modinfo section of a module.
func ReadInfo(r io.ReaderAt) (Info, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrNotModule, err)
	}
	section := f.Section(".modinfo")
	if section == nil {
		return Info{}, fmt.Errorf("%w: it has no .modinfo section", ErrNotModule)
	}
	if section.Type == elf.SHT_NOBITS || section.FileSize > maxModinfoBytes {
		return Info{}, fmt.Errorf("%w: .modinfo of %d bytes, at most %d are read", ErrNotModule, section.FileSize, maxModinfoBytes)
	}
	text, err := io.ReadAll(io.LimitReader(section.Open(), maxModinfoBytes))
	if err != nil {
		return Info{}, fmt.Errorf("%w: read .modinfo: %w", ErrNotModule, err)
	}
	return parseInfo(string(text)), nil
}

// parseInfo reads NUL-separated key=value pairs; unknown keys are skipped.
func parseInfo(text string) Info {
	var info Info
	for field := range strings.SplitSeq(text, "\x00") {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "depends":
			for name := range strings.SplitSeq(value, ",") {
				if name != "" {
					info.Depends = append(info.Depends, Canonical(name))
				}
			}
		case "softdep":
			info.SoftPre = append(info.SoftPre, softPre(value)...)
		}
	}
	return info
}

// softPre returns the names after "pre:" in a softdep line such as
// "pre: crc32c post: foo".
func softPre(value string) []string {
	var names []string
	pre := false
	for word := range strings.FieldsSeq(value) {
		switch word {
		case "pre:":
			pre = true
		case "post:":
			pre = false
		default:
			if pre {
				names = append(names, Canonical(word))
			}
		}
	}
	return names
}
