package image

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/content"
)

// ManifestPath is the list of digests of the files on the ESP that nobody changes.
const ManifestPath = content.ManifestPath

// menuSeconds is how long the boot manager waits for a key.
const menuSeconds = 5

// title is the name of the default entry.
const title = "RayOS"

// IDs of the default entries.
const (
	entryID        = "rayos"
	safeEntryID    = "rayos-safe"
	slotEntryID    = "rayos-slot"
	installEntryID = "rayos-install"
)

// installOption makes the runtime an installer.
const installOption = "rayos.install"

// espFiles lists the content of the ESP, with what its golden store is to hold.
// Its second result are the paths of generated files that the payload replaces.
func (s Spec) espFiles(installID gpt.GUID, store []named) (files []fat32.File, replaced []string, err error) {
	fixed := []named{
		{esp.RemovablePathX64, s.BootManager},
		{esp.ManagerPath, s.BootManager},
	}
	if s.System != nil {
		fixed = append(fixed, s.System.files()...)
	}
	settings, err := s.settings()
	if err != nil {
		return nil, nil, err
	}
	if files, err = content.Identity(installID); err != nil {
		return nil, nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(fixed), func(f named) bool { return s.inPayload(f.path) })
	settings = append(settings, named{ManifestPath, manifest(kept)})
	for _, f := range slices.Concat(fixed, settings, store) {
		files = append(files, fat32.Bytes(f.path, f.content))
	}
	for _, e := range s.Entries {
		e.Path = esp.EntriesDir + "/" + e.Path
		files = append(files, e)
	}
	files = slices.DeleteFunc(files, func(f fat32.File) bool {
		if !s.inPayload(f.Path) {
			return false
		}
		replaced = append(replaced, f.Path)
		return true
	})
	return append(files, s.Payload...), replaced, nil
}

// inPayload says whether the payload has a file of that path. FAT does not tell
// upper from lower case.
func (s Spec) inPayload(path string) bool {
	return slices.ContainsFunc(s.Payload, func(f fat32.File) bool { return strings.EqualFold(f.Path, path) })
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

// settings are the files that a user or the machine itself may change later, but for those
// that belong to this installation alone.
func (s Spec) settings() ([]named, error) {
	conf := esp.LoaderConf{TimeoutSeconds: menuSeconds, Menu: esp.MenuTimeout}
	switch {
	case s.Installer:
		conf.Default = installEntryID
	case s.System != nil:
		conf.Default = entryID
	}
	loader, err := esp.FormatLoaderConf(conf)
	if err != nil || s.System == nil {
		return []named{{esp.LoaderConfPath, loader}}, err
	}
	files := []named{{esp.LoaderConfPath, loader}}
	entries := []esp.Entry{s.entry(title, entryID, s.System.Options), s.entry(title+" (safe mode)", safeEntryID, s.System.SafeOptions)}
	entries[1].Private = append(entries[1].Private, esp.Private{Key: esp.RoleKey, Value: esp.RoleRecovery})
	if s.Installer {
		install := s.entry("Install "+title, installEntryID, strings.TrimSpace(s.System.Options+" "+installOption))
		install.Private = append(install.Private, esp.Private{Key: esp.RoleKey, Value: esp.RoleInstaller})
		entries = append(entries, install)
	}
	for _, e := range entries {
		text, err := esp.FormatType1(e)
		if err != nil {
			return nil, err
		}
		files = append(files, named{esp.EntryPath(e.SortKey), text})
	}
	return files, nil
}

// entry makes a BLS Type #1 entry with this title, whose sort key is its ID. It
// pins what it starts, unless the payload has another file in its place, and the
// runtime blesses it.
func (s Spec) entry(name, id, options string) esp.Entry {
	release := s.System.Release
	e := esp.Entry{
		Title: name, SortKey: id, Version: release, Architecture: esp.X64,
		Linux: esp.KernelPath(release), Options: options,
	}
	var pins esp.Pins
	if !s.inPayload(e.Linux) {
		pins.Linux = sha256.Sum256(s.System.Kernel)
	}
	if len(s.System.Initrd) > 0 {
		e.Initrd = []string{esp.InitrdPath(release)}
		if !s.inPayload(e.Initrd[0]) {
			pins.Initrd = sha256.Sum256(s.System.Initrd)
		}
	}
	e.Private = append(pins.Private(), esp.BlessByRuntime())
	return e
}

func manifest(files []named) []byte {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(f.content), f.path)
	}
	return []byte(b.String())
}
