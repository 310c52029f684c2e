package main

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/esp"
)

// recordFile is the file of the boot-state record. Each access opens it anew.
type recordFile struct {
	files *uefi.FileSystem
	path  string
}

func (f recordFile) Read() ([]byte, error) { return f.files.ReadFile(f.path) }

func (f recordFile) WriteAt(data []byte, offset int64) error {
	return f.files.WriteAt(f.path, data, offset)
}

// readState reads the boot-state record of the volume that the manager was
// loaded from. An ESP that was never RayOS's has none, and its entries have
// nobody to bless them; on one of ours a missing file is a loss.
func (m *manager) readState() record.Loaded {
	path, err := esp.Resolve(m.volume.files, esp.BootStatePath)
	if errors.Is(err, fs.ErrNotExist) {
		if m.installID == "" {
			return record.Loaded{Record: record.New("")}
		}
		path = esp.BootStatePath
		if err := m.volume.files.Create(path, make([]byte, record.FileBytes)); err != nil {
			m.console.warn("The boot state has no file, and none can be made: %v", err)
		}
	}
	store, loaded := record.Open(recordFile{m.volume.files, path}, m.installID)
	m.store = store
	return loaded
}

var errNoRecord = errors.New("this ESP has no boot-state record; rayimg build makes one")

// saveState makes the record durable.
func (m *manager) saveState(r record.Record) error {
	if m.store == nil {
		return errNoRecord
	}
	return m.store.Save(r)
}

// newNonce names this power-on's attempts.
func newNonce() (n record.Nonce) {
	// It never fails (crypto/rand).
	_, _ = rand.Read(n[:])
	return n
}

// identity tells one content of an entry from another by what is cheap to see:
// what it says, and sizes and times of its files.
func identity(files fs.FS, names []string, says ...string) record.Content {
	h := sha256.New()
	for _, text := range says {
		fmt.Fprintf(h, "%d %s\n", len(text), text)
	}
	for _, name := range names {
		info, err := fs.Stat(files, name)
		if err != nil {
			fmt.Fprintf(h, "%q missing\n", name)
			continue
		}
		fmt.Fprintf(h, "%q %d %d\n", name, info.Size(), info.ModTime().Unix())
	}
	return record.Content(h.Sum(nil)[:len(record.Content{})])
}
