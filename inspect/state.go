package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/esp"
)

// BootState is what the boot manager of the disk remembers.
type BootState struct {
	Error     string `json:"error,omitempty"` // why the rest is missing
	InstallID string `json:"installID"`       // of the ESP; empty if it has none
	Copies    []Copy `json:"copies"`          // A, then B; none if the file cannot be read
	control.Status
	Entries []control.Entry `json:"entries"` // as they stand, those in kernel slots too
}

// Copy is one of the two copies of the boot-state record.
type Copy struct {
	Name        string `json:"name"` // A or B
	OffsetBytes int64  `json:"offsetBytes"`
	Sequence    uint64 `json:"sequence"`
	InstallID   string `json:"installID"`
	InUse       bool   `json:"inUse"`             // the other one is written next
	Problem     string `json:"problem,omitempty"` // why it cannot be used

	err error
}

// readBootState reads the record. It is nil on a disk that is not RayOS's.
func readBootState(disk *diskstate.Disk) *BootState {
	files, err := disk.ESP()
	if err != nil {
		return nil // told with the rest of the ESP
	}
	data, err := readSmall(files, esp.BootStatePath, record.FileBytes)
	id, idErr := readInstallID(files)
	if errors.Is(err, fs.ErrNotExist) && id == "" && idErr == nil {
		return nil
	}
	b := &BootState{InstallID: id}
	if b.Status, b.Entries, err = control.Look(disk); err != nil {
		b.Error = err.Error()
	}
	b.Copies = readCopies(data, id)
	used := b.Error == "" && (b.State == record.Good || b.State == record.Degraded)
	if i := slices.IndexFunc(b.Copies, func(c Copy) bool { return c.err == nil && c.Sequence == b.Record.Sequence }); used && i >= 0 {
		b.Copies[i].InUse = true
	}
	return b
}

// readInstallID reads which installation an ESP belongs to, empty if to none.
func readInstallID(files fs.FS) (string, error) {
	data, err := readSmall(files, esp.InstallIDPath, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return esp.ParseInstallID(data)
}

// readCopies decodes both copies of a file that has its size.
func readCopies(data []byte, installID string) []Copy {
	copies := []Copy{}
	if len(data) != record.FileBytes {
		return copies
	}
	for i, name := range []string{"A", "B"} {
		c := Copy{Name: name, OffsetBytes: int64(i * record.CopyBytes)}
		r, err := record.Decode(data[c.OffsetBytes:][:record.CopyBytes])
		if c.Sequence, c.InstallID, c.err = r.Sequence, r.InstallID, err; err == nil && c.InstallID != installID {
			c.err = fmt.Errorf("it is of the installation %q", c.InstallID)
		}
		if c.err != nil {
			c.Problem = c.err.Error()
		}
		copies = append(copies, c)
	}
	return copies
}
