// Package diskstate lets operators ask the boot manager of a disk that is not
// up: a disk image or a block device. It changes nothing but the boot-state
// record and signatures of golden snapshots, both in place.
package diskstate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// Disk is an open disk with an EFI System Partition.
type Disk struct {
	reader io.ReaderAt
	file   *os.File // nil: it is only read
	table  gpt.Table
	esp    partition
}

var _ control.Machine = (*Disk)(nil)

// Open opens a disk, to read it or also to change it. One that a virtual machine
// has open is not changed.
func Open(name string, write bool) (*Disk, error) {
	mode := os.O_RDONLY
	if write {
		mode = os.O_RDWR
	}
	f, err := os.OpenFile(name, mode, 0)
	if err != nil {
		return nil, err
	}
	d, err := open(f, write)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return d, nil
}

func open(f *os.File, write bool) (*Disk, error) {
	if write {
		lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
		if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
			return nil, fmt.Errorf("it is in use, perhaps by a virtual machine, and is not changed: %w", err)
		}
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	table, _, err := gpt.Read(f, size)
	if err != nil {
		return nil, err
	}
	return newOn(f, f, table)
}

// View is the disk in r, which has this partition table, to be read only. It is
// not to be closed.
func View(r io.ReaderAt, table gpt.Table) (*Disk, error) { return newOn(r, nil, table) }

func newOn(r io.ReaderAt, f *os.File, table gpt.Table) (*Disk, error) {
	d := &Disk{reader: r, file: f, table: table}
	p, ok := d.find(gpt.TypeESP)
	if !ok {
		return nil, errors.New("there is no EFI System Partition")
	}
	d.esp = partition{io.NewSectionReader(r, p.StartBytes, p.SizeBytes), f, p.StartBytes}
	return d, nil
}

// Close closes the disk.
func (d *Disk) Close() error { return d.file.Close() }

func (d *Disk) find(kind gpt.GUID) (gpt.Partition, bool) {
	i := slices.IndexFunc(d.table.Partitions, func(p gpt.Partition) bool { return p.Type == kind })
	if i < 0 {
		return gpt.Partition{}, false
	}
	return d.table.Partitions[i], true
}

// partition is a part of the disk as record/volume wants it.
type partition struct {
	*io.SectionReader
	file  *os.File // nil: it is only read
	start int64
}

var errView = errors.New("the disk is only read")

func (p partition) WriteAt(b []byte, offset int64) (int, error) {
	if p.file == nil {
		return 0, errView
	}
	if offset < 0 || offset > p.Size()-int64(len(b)) {
		return 0, fmt.Errorf("write at byte %d of the partition: %w", offset, fs.ErrInvalid)
	}
	return p.file.WriteAt(b, p.start+offset)
}

// Sync makes what was written durable; what is read after it comes from the
// medium where that is a disk.
func (p partition) Sync() error {
	if err := p.file.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(p.file.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// ESP implements [control.Machine].
func (d *Disk) ESP() (fs.FS, error) {
	files, err := fat32.Open(d.esp, d.esp.Size())
	if err != nil {
		return nil, fmt.Errorf("EFI System Partition: %w", err)
	}
	return files, nil
}

// Slots implements [control.Machine].
func (d *Disk) Slots() (slots.Table, io.ReaderAt, error) {
	p, ok := d.find(gpt.TypeRayOSKernel)
	if !ok {
		return slots.Table{}, nil, nil
	}
	section := io.NewSectionReader(d.reader, p.StartBytes, p.SizeBytes)
	table, err := slots.Read(section)
	if errors.Is(err, slots.ErrNoTable) {
		err = nil
	}
	return table, section, err
}

// Load implements [control.Machine].
func (d *Disk) Load() (record.Loaded, error) {
	_, loaded, err := d.store()
	return loaded, err
}

// Update implements [control.Machine].
func (d *Disk) Update(change func(record.Record) (record.Record, bool)) (bool, error) {
	store, loaded, err := d.store()
	if err != nil {
		return false, err
	}
	r, changed := change(loaded.Record)
	if !changed {
		return false, nil
	}
	return true, store.Save(r)
}

// store opens the record with the install ID that is on the same ESP.
func (d *Disk) store() (*record.Store, record.Loaded, error) {
	files, err := d.ESP()
	if err != nil {
		return nil, record.Loaded{}, err
	}
	id, err := installID(files)
	if err != nil {
		return nil, record.Loaded{}, err
	}
	store, loaded := record.Open(volume.On(d.esp, d.esp.Size()), id)
	return store, loaded, nil
}

// installID reads which installation an ESP belongs to, empty if to none.
func installID(files fs.FS) (string, error) {
	data, err := fs.ReadFile(files, esp.InstallIDPath)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return esp.ParseInstallID(data)
}

// Default implements [control.Machine]: a disk has no EFI variables.
func (d *Disk) Default() (string, error) { return "", nil }

// ForgetDefault implements [control.Machine].
func (d *Disk) ForgetDefault() error { return nil }
