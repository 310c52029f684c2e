package volume_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
)

const (
	sector      = 512
	volumeBytes = 34 << 20 // about the least that is FAT32
	installID   = "11111111-2222-3333-4444-555555555555"
)

// disk has a volatile cache: what is written becomes durable sector by sector, in
// any order, until it is flushed. Durable sectors lie over a volume that never
// changes, so that a copy of a disk costs nothing.
type disk struct {
	base    []byte
	durable map[int64][]byte
	cache   map[int64][]byte
	order   []int64 // of the sectors in the cache, as they were written

	dead    bool // the power is cut: nothing is written any more
	cutAt   int  // operation before which that happens; 0 for never
	ops     int
	persist func(n int) bool // which of the cached sectors made it when the power was cut
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, d.base[off:])
	for s := off / sector; s*sector < off+int64(n); s++ {
		data, ok := d.cache[s]
		if !ok {
			data, ok = d.durable[s]
		}
		if ok {
			overlay(p[:n], off, data, s*sector)
		}
	}
	return n, nil
}

// overlay copies the part of data at dataOff that lies within p at off.
func overlay(p []byte, off int64, data []byte, dataOff int64) {
	if dataOff < off {
		data, dataOff = data[off-dataOff:], off
	}
	copy(p[dataOff-off:], data)
}

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	d.step()
	if d.dead {
		return len(p), nil
	}
	for s := off / sector; s*sector < off+int64(len(p)); s++ {
		data := make([]byte, sector)
		_, _ = d.ReadAt(data, s*sector)
		overlay(data, s*sector, p, off)
		d.cache[s] = data
		d.order = append(d.order, s)
	}
	return len(p), nil
}

func (d *disk) Sync() error {
	d.step()
	if !d.dead {
		d.flush(func(int) bool { return true })
	}
	return nil
}

// step counts an operation, and cuts the power if it is its turn.
func (d *disk) step() {
	d.ops++
	if d.ops == d.cutAt {
		d.dead = true
		d.flush(d.persist)
	}
}

func (d *disk) flush(persist func(n int) bool) {
	for i, s := range d.order {
		if data, ok := d.cache[s]; ok && persist(i) {
			d.durable[s] = data
		}
	}
	d.cache, d.order = map[int64][]byte{}, nil
}

// again is the disk after the power came back.
func (d *disk) again() *disk {
	durable := make(map[int64][]byte, len(d.durable))
	for s, data := range d.durable {
		durable[s] = data
	}
	return &disk{base: d.base, durable: durable, cache: map[int64][]byte{}}
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	file, err := record.InitialFile(installID)
	if err != nil {
		t.Fatal(err)
	}
	base := make(buffer, volumeBytes)
	files := []fat32.File{fat32.Bytes(esp.BootStatePath, file), fat32.Bytes("other", bytes.Repeat([]byte("x"), 5000))}
	if _, err := fat32.Create(base, fat32.Options{SizeBytes: volumeBytes, SectorSize: sector, Label: "TEST", Modified: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}, files); err != nil {
		t.Fatal(err)
	}
	return &disk{base: base, durable: map[int64][]byte{}, cache: map[int64][]byte{}}
}

type buffer []byte

func (b buffer) WriteAt(p []byte, off int64) (int, error) { return copy(b[off:], p), nil }

// writer saves a record with this count on the disk. Its result counts only if
// the power stayed on.
type writer func(t *testing.T, d *disk, count int)

// counted is r with this count. It differs from any other in each of its sectors.
func counted(r record.Record, count int) record.Record {
	r = r.Clone()
	r.Disablings, r.Default = count, fmt.Sprint("entry-", count)
	r.Entries = nil
	for i := range record.MaxEntries {
		r.Entries = append(r.Entries, record.Entry{Key: fmt.Sprint("entry-", i), Failures: count})
	}
	for range record.MaxEvents {
		r.AddEvent(record.Event{Kind: record.EntryFailed, Subject: fmt.Sprint(count)})
	}
	return r
}

// save is the real one.
func save(t *testing.T, d *disk, count int) {
	t.Helper()
	s, loaded := record.Open(volume.On(d, volumeBytes), installID)
	if err := s.Save(counted(loaded.Record, count)); err != nil && !d.dead {
		t.Fatal(err)
	}
}

// saveInPlace overwrites the newer copy, as one does who has only one.
func saveInPlace(t *testing.T, d *disk, count int) {
	t.Helper()
	file := volume.On(d, volumeBytes)
	b, newer := next(t, file, count)
	if err := file.WriteAt(b, newer); err != nil {
		t.Fatal(err)
	}
}

// saveWithoutFlush writes both copies and flushes in the end.
func saveWithoutFlush(t *testing.T, d *disk, count int) {
	t.Helper()
	file := volume.On(noFlush{d}, volumeBytes)
	b, _ := next(t, file, count)
	for _, offset := range []int64{0, record.CopyBytes} {
		if err := file.WriteAt(b, offset); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
}

// next is the record that follows the stored one, as a copy on disk, and the
// offset of the newer copy there.
func next(t *testing.T, file volume.File, count int) (b []byte, newer int64) {
	t.Helper()
	_, loaded := record.Open(file, installID)
	data, err := file.Read()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := record.Decode(data[record.CopyBytes:]); err == nil && r.Sequence == loaded.Record.Sequence {
		newer = record.CopyBytes
	}
	r := counted(loaded.Record, count)
	r.Sequence++
	encoded, err := record.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return encoded[:], newer
}

type noFlush struct{ *disk }

func (noFlush) Sync() error { return nil }

// patterns are which of the 8 cached sectors of a copy survive a cut: all that are
// possible, or a few.
func patterns(all bool) []func(n int) bool {
	var list []func(n int) bool
	for mask := range 256 {
		few := mask&(mask+1) == 0 || mask&(mask-1) == 0 // the first ones, or one alone
		if all || few {
			list = append(list, func(n int) bool { return mask>>(n%8)&1 == 1 })
		}
	}
	return list
}

// sweep cuts the power at every operation of a save, with every set of sectors
// that may have become durable, and again at every operation of the save after
// it. It returns what went wrong first, empty if nothing did.
func sweep(t *testing.T, write writer) string {
	t.Helper()
	start := newDisk(t)
	save(t, start, 1)
	whole := start.again()
	write(t, whole, 2)
	for cut := 1; cut <= whole.ops; cut++ {
		for _, persist := range patterns(true) {
			d := start.again()
			d.cutAt, d.persist = cut, persist
			write(t, d, 2)
			d = d.again()
			if problem := check(d, 1, 2); problem != "" {
				return problem
			}
			if problem := sweepAgain(t, d, write); problem != "" {
				return "after a second cut: " + problem
			}
		}
	}
	return ""
}

// sweepAgain cuts the power during the first save after a cut.
func sweepAgain(t *testing.T, after *disk, write writer) string {
	t.Helper()
	_, loaded := record.Open(volume.On(after, volumeBytes), installID)
	before := loaded.Record.Disablings
	whole := after.again()
	write(t, whole, 3)
	if problem := check(whole.again(), 3); problem != "" {
		return problem
	}
	for cut := 1; cut <= whole.ops; cut++ {
		for _, persist := range patterns(false) {
			d := after.again()
			d.cutAt, d.persist = cut, persist
			write(t, d, 3)
			if problem := check(d.again(), before, 3); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// check reads the record after the power came back: it must be one that was
// saved.
func check(d *disk, wants ...int) string {
	_, loaded := record.Open(volume.On(d, volumeBytes), installID)
	switch {
	case loaded.Status != record.Good && loaded.Status != record.Degraded:
		return loaded.Status.String() + ": " + loaded.Problem.Error()
	case !slices.Contains(wants, loaded.Record.Disablings):
		return "a record that nobody saved"
	}
	return ""
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	if problem := sweep(t, save); problem != "" {
		t.Error(problem)
	}
}

// TestNaiveWritersLoseTheRecord shows that the sweep sees what it is there for.
func TestNaiveWritersLoseTheRecord(t *testing.T) {
	for name, write := range map[string]writer{"in place": saveInPlace, "without flush": saveWithoutFlush} {
		if problem := sweep(t, write); problem == "" {
			t.Errorf("%s: the sweep sees nothing", name)
		} else {
			t.Logf("%s: %s", name, problem)
		}
	}
}
