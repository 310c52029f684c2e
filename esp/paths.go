package esp

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Where things lie on the ESP (UAPI BLS §The Boot Loader Entries; UEFI 2.10
// §3.5.1.1 for the removable path).
const (
	LoaderConfPath = "loader/loader.conf"
	EntriesDir     = "loader/entries" // Type #1 entries
	UKIDir         = "EFI/Linux"      // Type #2 entries

	RemovablePathX64  = "EFI/BOOT/BOOTX64.EFI"  // what firmware starts without a load option
	RemovablePathAA64 = "EFI/BOOT/BOOTAA64.EFI" // the same on 64-bit ARM
	WindowsPath       = "EFI/Microsoft/Boot/bootmgfw.efi"

	RayOSDir      = "EFI/rayos"
	ManagerPath   = RayOSDir + "/rayboot.efi" // the boot manager, the same file as at the removable path
	InstallIDPath = RayOSDir + "/install.id"  // see ParseInstallID
	BootStatePath = RayOSDir + "/boot-state"  // the boot-state record, see package bootmenu/record

	// ManifestPath is the list of digests of the files that nobody changes at run time, in the
	// format of sha256sum(1) and relative to the root of the ESP.
	ManifestPath = RayOSDir + "/sha256sums"
)

// KernelPath returns where the RayOS kernel of a version lies.
func KernelPath(version string) string { return RayOSDir + "/vmlinuz-" + version }

// InitrdPath returns where the initrd for the RayOS kernel of a version lies.
func InitrdPath(version string) string { return RayOSDir + "/initrd-" + version + ".img" }

// EntryPath returns where the Type #1 entry with this ID lies.
func EntryPath(id string) string { return EntriesDir + "/" + id + suffixType1 }

// maxPathBytes bounds a path in an entry. UEFI file paths are UCS-2 strings of
// any length, but no FAT path is longer than 260 characters.
const maxPathBytes = 1024

// cleanPath turns a path as written in an entry, relative to the root of the
// ESP with or without a leading slash or backslashes, into one of io/fs. A path
// with .., or with characters that no FAT name can have, is an error.
func cleanPath(p string) (string, error) {
	if len(p) > maxPathBytes {
		return "", fmt.Errorf("path of %d bytes, at most %d are allowed", len(p), maxPathBytes)
	}
	if !utf8.ValidString(p) || strings.ContainsFunc(p, isUnprintable) || strings.ContainsAny(p, `"*:<>?|`) {
		return "", fmt.Errorf("path %s has characters that no file name can have", quoted(p))
	}
	var parts []string
	for part := range strings.FieldsFuncSeq(p, func(r rune) bool { return r == '/' || r == '\\' }) {
		switch {
		case part == ".":
		case part == "..":
			return "", fmt.Errorf("path %s has a .., paths start at the root of the ESP", quoted(p))
		case strings.TrimRight(part, " .") != part:
			return "", fmt.Errorf("path %s has a name that ends with a space or dot, which FAT cannot have", quoted(p))
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", fmt.Errorf("path %s names no file", quoted(p))
	}
	return strings.Join(parts, "/"), nil
}
