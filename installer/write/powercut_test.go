package write

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"slices"
	"sync"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/signature"
	"github.com/rayos/rayboot/installer/table"
)

// The disk of the sweep, and its partitions in MiB.
const (
	diskBytes = 8 * gpt.MiB
	espAt     = 1
	kernelAt  = 2
	systemAt  = 4
	guestAt   = 5
)

var geometry = gpt.Geometry{DiskBytes: diskBytes, SectorSize: 512}

func part(number int, typ gpt.GUID, at, size int64, id byte) gpt.Partition {
	return gpt.Partition{Number: number, Name: fmt.Sprint("P", number), Type: typ, ID: gpt.GUID{id, byte(number)}, StartBytes: at * gpt.MiB, SizeBytes: size * gpt.MiB}
}

// newLayout is what is installed.
func newLayout() []gpt.Partition {
	return []gpt.Partition{
		part(1, gpt.TypeESP, espAt, 1, 1), part(2, gpt.TypeRayOSKernel, kernelAt, 2, 1),
		part(3, gpt.TypeRayOSSystem, systemAt, 1, 1), part(4, gpt.TypeLinuxData, guestAt, 1, 1),
	}
}

// noise is always the same for a seed.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(seed))).Read(b)
	return b
}

// piece is a part of a content.
type piece struct {
	offset int64
	data   []byte
}

// contents are written in this order.
var contents = map[int][]piece{
	1: {{0, noise(1, 512)}, {3072, noise(2, 3000)}, {100_000, noise(3, 60_000)}, {gpt.MiB - 512, noise(4, 512)}},
	2: {{gpt.MiB, noise(5, 20_000)}, {64 << 10, noise(6, 512)}, {0, noise(7, 5000)}},
}

func contentOf(number int, pieces []piece) Content {
	return Content{Number: number, Name: fmt.Sprint("content ", number), Write: func(w io.WriterAt) error {
		for _, p := range pieces {
			if _, err := w.WriteAt(p.data, p.offset); err != nil {
				return err
			}
		}
		return nil
	}}
}

func newJob() Job {
	return Job{
		Geometry: geometry, DiskID: gpt.GUID{0xdd}, Partitions: newLayout(),
		Contents: []Content{contentOf(1, contents[1]), contentOf(2, contents[2])},
	}
}

// onto adapts a job to what is on a disk, as a plan does.
func (j Job) onto(d *simDisk) Job {
	c, err := signature.Read(d, diskBytes, 512)
	j.BackupLast = err == nil && c.Table == signature.GPT && c.GUIDTable.FromBackup
	return j
}

// lay writes a table into a disk.
func lay(disk []byte, g gpt.Geometry, id gpt.GUID, parts []gpt.Partition) {
	t, err := table.Encode(g, id, parts)
	if err != nil {
		panic(err)
	}
	for _, p := range []table.Piece{t.MBR, t.Header, t.Array, t.BackupArray, t.BackupHeader} {
		copy(disk[p.OffsetBytes:], p.Data)
	}
}

// oldParts reach over and between the new ones.
func oldParts() []gpt.Partition {
	return []gpt.Partition{part(1, gpt.TypeESP, 1, 2, 9), part(2, gpt.TypeMicrosoftBasic, 3, 1, 9), part(5, gpt.TypeLinuxData, 4, 3, 9)}
}

// oldDisks are disks as they may be before an installation. Nobody changes them.
var oldDisks = sync.OnceValue(func() map[string][]byte {
	full := func() []byte { return noise(77, diskBytes) }
	disks := map[string][]byte{"blank": make([]byte, diskBytes)}
	gptDisk := func() []byte {
		d := full()
		lay(d, geometry, gpt.GUID{0x99}, oldParts())
		return d
	}
	disks["GPT"] = gptDisk()
	primaryGone, backupGone := gptDisk(), gptDisk()
	primaryGone[1024+40]++
	disks["GPT, primary damaged"] = primaryGone
	backupGone[diskBytes-512+60]++
	disks["GPT, backup damaged"] = backupGone
	mbr := full()
	clear(mbr[:512])
	mbr[446+4] = 0x83
	binary.LittleEndian.PutUint32(mbr[446+8:], 63)
	binary.LittleEndian.PutUint32(mbr[446+12:], 10_000)
	mbr[510], mbr[511] = 0x55, 0xaa
	disks["MBR"] = mbr
	foreign := full()
	lay(foreign, gpt.Geometry{DiskBytes: diskBytes, SectorSize: 4096}, gpt.GUID{0x44}, oldParts())
	disks["GPT for other sectors"] = foreign
	grown := full()
	lay(grown, gpt.Geometry{DiskBytes: 6 * gpt.MiB, SectorSize: 512}, gpt.GUID{0x66}, oldParts()[:2])
	disks["GPT of a smaller disk"] = grown
	reinstalled := full()
	lay(reinstalled, geometry, gpt.GUID{0x55}, newLayout())
	disks["the same layout"] = reinstalled
	return disks
})

// seen is what a machine that starts sees of a disk.
type seen struct {
	kind  string
	id    gpt.GUID
	parts []gpt.Partition
}

func see(d *simDisk) seen {
	table, _, err := gpt.Read(d, diskBytes)
	s := seen{kind: signature.GPT, id: table.DiskID, parts: table.Partitions}
	if err != nil {
		s = seen{}
	}
	mbr := make([]byte, 512)
	_, _ = d.ReadAt(mbr, 0)
	if (err != nil || table.FromBackup) && mbr[510] == 0x55 && mbr[511] == 0xaa && mbr[446+4] == 0x83 {
		return seen{kind: signature.MBR} // an old or a new GPT behind it is in nobody's way
	}
	return s
}

func (s seen) equal(o seen) bool {
	return s.kind == o.kind && s.id == o.id && slices.Equal(s.parts, o.parts)
}

// check says what is wrong with a disk after a cut: it must have its old table, or the new
// one with all that belongs to it. Where it has the old one, no partition that was there and
// is overwritten may begin like a new one that is not whole.
func check(d *simDisk, before seen, j Job) string {
	now := see(d)
	if now.kind == signature.GPT && now.id == j.DiskID {
		if !slices.Equal(now.parts, j.Partitions) {
			return "the new table has other partitions"
		}
		return whole(d, j)
	}
	if !now.equal(before) {
		return fmt.Sprintf("neither the old table nor the new one: %+v", now)
	}
	head := make([]byte, 512)
	_, _ = d.ReadAt(head, espAt*gpt.MiB)
	if problem := missing(d, j, 1); problem != "" && bytes.Equal(head, contents[1][0].data) {
		return "with the old table, a half-written ESP begins like a whole one"
	}
	return ""
}

// whole says what of the contents is missing.
func whole(d *simDisk, j Job) string {
	if problem := missing(d, j, 1); problem != "" {
		return problem
	}
	return missing(d, j, 2)
}

func missing(d *simDisk, j Job, number int) string {
	for _, p := range contents[number] {
		got := make([]byte, len(p.data))
		_, _ = d.ReadAt(got, j.Partitions[number-1].StartBytes+p.offset)
		if !bytes.Equal(got, p.data) {
			return fmt.Sprintf("the new table is there, %d bytes at %d of partition %d are not", len(got), p.offset, number)
		}
	}
	return ""
}

// guests are bytes that must never change when they are kept.
func guests(d *simDisk, j Job) []byte {
	var all []byte
	for _, number := range j.Kept {
		b := make([]byte, j.Partitions[number-1].SizeBytes)
		_, _ = d.ReadAt(b, j.Partitions[number-1].StartBytes)
		all = append(all, b...)
	}
	return all
}

// run is an installation.
type run func(d Device, j Job) error

func proper(d Device, j Job) error {
	_, err := Run(context.Background(), d, j, nil)
	return err
}

// sweep cuts the power at every operation of an installation onto a disk, with many sets of
// sectors that became durable. After some cuts it installs again, which must succeed. It
// returns what went wrong first.
func sweep(old *simDisk, j Job, install run) string {
	before, kept := see(old), guests(old, j)
	done := old.again()
	if err := install(done, j.onto(done)); err != nil {
		return err.Error()
	}
	done.cut(func(int) bool { return false })
	if problem := check(done, seen{kind: "gone"}, j); problem != "" {
		return "uncut: " + problem
	}
	type look struct {
		state uint64
		again bool
	}
	d, after, looked := old.again(), old.again(), map[look]bool{}
	for n, op := range done.ops {
		for i, persist := range patterns(uint64(n)) {
			l := look{d.stateAfter(persist), i%20 == 19}
			if looked[l] {
				continue // most cuts leave what others have left
			}
			looked[l] = true
			undo := d.cutOnto(after, persist)
			problem := check(after, before, j)
			if problem == "" && !bytes.Equal(guests(after, j), kept) {
				problem = "a guest was hurt"
			}
			if problem == "" && l.again {
				problem = installAgain(after.again(), j, install)
			}
			if problem != "" {
				return fmt.Sprintf("cut before operation %d of %d, pattern %d: %s", n+1, len(done.ops), i, problem)
			}
			undo()
		}
		if d.apply(op); op.flush {
			after = d.again()
		}
	}
	return ""
}

func installAgain(d *simDisk, j Job, install run) string {
	if err := install(d, j.onto(d)); err != nil {
		return "installed again: " + err.Error()
	}
	d.cut(func(int) bool { return false })
	if problem := check(d, seen{kind: "gone"}, j); problem != "" {
		return "installed again: " + problem
	}
	return ""
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	for name, base := range oldDisks() {
		for _, discard := range []discarding{cannotDiscard, discardToZeros, discardToGarbage} {
			t.Run(fmt.Sprint(name, "/", discard), func(t *testing.T) {
				d := newSimDisk(base)
				d.discard = discard
				if problem := sweep(d, newJob(), proper); problem != "" {
					t.Error(problem)
				}
			})
		}
	}
}

func TestPowerCutWithGuests(t *testing.T) {
	d := newSimDisk(oldDisks()["the same layout"])
	j := newJob()
	j.Kept = []int{3, 4}
	if problem := sweep(d, j, proper); problem != "" {
		t.Error(problem)
	}
}
