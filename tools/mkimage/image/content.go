package image

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
)

// ManifestPath is the list of digests of the files on the ESP that nobody
// changes at run time, in the format of sha256sum(1) and relative to the root
// of the ESP: `sha256sum -c EFI/rayos/sha256sums` checks them.
const ManifestPath = esp.RayOSDir + "/sha256sums"

const loaderConf = "timeout 5\ndefault rayos\n"

// IDs of the default entries.
const (
	entryID     = "rayos"
	safeEntryID = "rayos-safe"
	slotEntryID = "rayos-slot"
)

// espFiles lists the content of the ESP. Its second result are the paths of
// generated files that the payload replaces.
func (s Spec) espFiles(installID gpt.GUID) (files []fat32.File, replaced []string) {
	fixed := []named{
		{esp.RemovablePathX64, s.BootManager},
		{esp.ManagerPath, s.BootManager},
	}
	if s.System != nil {
		fixed = append(fixed, s.System.files()...)
	}
	for _, f := range fixed {
		files = append(files, fat32.Bytes(f.path, f.content))
	}
	files = append(files,
		fat32.Bytes(esp.InstallIDPath, []byte(installID.String()+"\n")),
		fat32.Bytes(esp.LoaderConfPath, []byte(loaderConf)))
	if s.System != nil {
		files = append(files,
			fat32.Bytes(esp.EntryPath(entryID), s.System.entry("RayOS", entryID, s.System.Options)),
			fat32.Bytes(esp.EntryPath(safeEntryID), s.System.entry("RayOS (safe mode)", safeEntryID, s.System.SafeOptions)))
	}
	for _, e := range s.Entries {
		e.Path = esp.EntriesDir + "/" + e.Path
		files = append(files, e)
	}
	files, replaced = overlay(files, s.Payload)
	fixed = slices.DeleteFunc(fixed, func(f named) bool { return slices.Contains(replaced, f.path) })
	return append(files, fat32.Bytes(ManifestPath, manifest(fixed))), replaced
}

// named is a file held in memory.
type named struct {
	path    string
	content []byte
}

func (s *System) files() []named {
	files := []named{{esp.KernelPath(s.Release), s.Kernel}}
	if len(s.Initrd) > 0 {
		files = append(files, named{esp.InitrdPath(s.Release), s.Initrd})
	}
	return files
}

// entry makes a BLS Type #1 entry (UAPI BLS §Type #1).
func (s *System) entry(title, sortKey, options string) []byte {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%-12s %s\n", key, value) }
	line("title", title)
	line("version", s.Release)
	line("sort-key", sortKey)
	line("architecture", "x64")
	line("linux", "/"+esp.KernelPath(s.Release))
	if len(s.Initrd) > 0 {
		line("initrd", "/"+esp.InitrdPath(s.Release))
	}
	line("options", options)
	return []byte(b.String())
}

// overlay puts the payload over the generated files. FAT does not tell upper
// from lower case.
func overlay(files, payload []fat32.File) (all []fat32.File, replaced []string) {
	paths := map[string]bool{}
	for _, p := range payload {
		paths[strings.ToUpper(p.Path)] = true
	}
	for _, f := range files {
		if paths[strings.ToUpper(f.Path)] {
			replaced = append(replaced, f.Path)
		} else {
			all = append(all, f)
		}
	}
	return append(all, payload...), replaced
}

func manifest(files []named) []byte {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(f.content), f.path)
	}
	return []byte(b.String())
}
