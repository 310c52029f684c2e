package inspect

import (
	"io"
	"io/fs"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
)

// maxFiles bounds the files listed, and with that the walk through directories
// which may contain each other.
const maxFiles = 5000

func readESP(r *io.SectionReader, p gpt.Partition) *ESP {
	e := &ESP{Partition: p.Number}
	volume, err := fat32.Open(r, r.Size())
	if err != nil {
		e.Error = err.Error()
		return e
	}
	e.Volume = volume.Info()
	if e.Usage, err = volume.Usage(); err != nil {
		e.Error = err.Error()
		return e
	}
	if e.Files, e.More, err = listFiles(volume); err != nil {
		e.Error = err.Error()
	}
	entries, _ := esp.Discover(volume, esp.X64)
	for i, title := range esp.Titles(entries) {
		entry := entries[i]
		e.Entries = append(e.Entries, Entry{
			ID: entry.ID, Title: title, Kind: kindName(entry.Kind), Image: entry.Image(), Initrd: entry.Initrd, Pins: readPins(entry),
		})
	}
	return e
}

// listFiles lists the files of a volume in the order of a walk. The first
// directory that cannot be read is told; the others are still listed.
func listFiles(volume fs.FS) (files []File, more bool, err error) {
	walkErr := fs.WalkDir(volume, ".", func(path string, d fs.DirEntry, dirErr error) error {
		if dirErr != nil {
			if err == nil {
				err = dirErr
			}
			return nil
		}
		if path == "." {
			return nil
		}
		if len(files) == maxFiles {
			more = true
			return fs.SkipAll
		}
		info, infoErr := d.Info()
		if infoErr != nil {
			return infoErr
		}
		files = append(files, File{Path: path, Dir: d.IsDir(), Bytes: info.Size()})
		return nil
	})
	if err == nil {
		err = walkErr
	}
	return files, more, err
}

// kindName is how markers name the kind of an entry.
func kindName(k esp.Kind) string {
	if k == esp.Type2 {
		return "uki"
	}
	return "bls"
}
