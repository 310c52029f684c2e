// Package install installs RayOS from the disk that the machine was booted from onto another
// one. Which disk may be written, and how, is the room installer's; here it meets the machine
// that is up: its boot disk, its firmware's variables, and the person before it.
package install

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/bootentry"
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/markers"
)

// Installer installs from a boot disk.
type Installer struct {
	Root    string         // of the machine's files
	Boot    *livedisk.Disk // the boot disk
	Machine *disks.Machine // with the boot disk's name
	Out     io.Writer      // for people, and for the markers
	Update  bool           // Out is a terminal, on which a line is written over by the next
	Silent  bool           // only the result is wanted: no progress, and no markers
}

// New makes an installer for a machine that was booted from a disk.
func New(root string, boot *livedisk.Disk, out io.Writer) *Installer {
	machine := disks.At(root)
	machine.Boot = boot.Name()
	return &Installer{Root: root, Boot: boot, Machine: machine, Out: out}
}

// emit prints a marker.
func (i *Installer) emit(m markers.Emitter) {
	if !i.Silent {
		fmt.Fprintln(i.Out, m.Marker())
	}
}

// Detected says which disks there are.
func (i *Installer) Detected(list disks.List) {
	for _, d := range list.Disks {
		i.emit(markers.InstallerDisk{Disk: d.Name, Bus: string(d.Transport), Bytes: d.SizeBytes})
		if d.Running && d.Transport == plan.USB {
			i.emit(markers.InstallerUSB{Disk: d.Name})
		}
	}
	if n := len(list.More); n > 0 {
		i.emit(markers.InstallerDisksDropped{Count: n, Limit: plan.MaxDisks})
	}
}

// sectorOfFiles is the sector size of a file that stands in for a disk.
const sectorOfFiles = 512

// Find describes the disk that a request names.
func (i *Installer) Find(name string) (plan.Disk, error) { return i.Machine.Find(name, sectorOfFiles) }

// prepare does all that comes before the confirmation, what is likely to be refused first.
func (i *Installer) prepare(disk plan.Disk, layout plan.Layout, consent plan.Consent) (*session.Session, error) {
	s := &session.Session{Machine: i.Machine, InstallID: write.NewID()}
	var err error
	if s.Plan, err = plan.New(disk, plan.Request{Layout: layout, Consent: consent, NewID: write.NewID}); err != nil {
		return nil, err
	}
	i.say("reading and comparing what is to be installed ...")
	return s, i.gather(s)
}

// gather reads what is to be installed, and compares it with the stick's digests.
func (i *Installer) gather(s *session.Session) error {
	files, err := i.Boot.ESP()
	if err != nil {
		return err
	}
	key, err := i.Boot.GoldenKey()
	if err != nil {
		return err
	}
	whole, table, err := i.Boot.Whole()
	if err != nil {
		return err
	}
	stick := content.Stick{ESP: files, Kernels: i.Boot.Kernels(), Disk: whole, Table: table, Key: key}
	d, err := stick.Read(s.InstallID)
	if err != nil {
		return err
	}
	serial := write.NewID()
	d.SectorSize, d.Partitions = s.Plan.Disk.SectorSize, s.Plan.After
	d.Serial, d.Modified = binary.LittleEndian.Uint32(serial[:]), content.Storable(time.Now())
	guests, err := stick.Guests()
	if err != nil {
		return err
	}
	left, err := d.TakeAreas(guests, s.Plan.Keeps)
	if err != nil {
		return err
	}
	for _, name := range left {
		i.say(name + ": stays on the stick, as the disk has no partition for it or keeps its own")
	}
	s.Job = write.NewJob(s.Plan, d.Contents())
	return nil
}

// complete emits the markers of an installation that is complete.
func (i *Installer) complete(s *session.Session, report session.Report) {
	for _, p := range s.Plan.After {
		if s.Plan.Keeps(p.Number) {
			continue
		}
		i.emit(markers.InstallerPartition{Disk: s.Plan.Disk.Name, Number: p.Number, Name: p.Name})
	}
	i.emit(markers.InstallerComplete{Disk: s.Plan.Disk.Name, Bytes: report.Written.WrittenBytes, BootEntry: report.BootEntry})
}

// run writes the disk, checks it, and registers it with the firmware.
func (i *Installer) run(ctx context.Context, s *session.Session) (session.Report, error) {
	report := s.Report()
	note := func(text string) { report.Warnings = append(report.Warnings, text) }
	written, err := s.Write(ctx, i.progress(), note)
	i.endLine()
	if err != nil {
		return report, err
	}
	report.Written = &written
	i.say("checking the disk ...")
	if err := session.VerifyWritten(ctx, i.Machine, s.Plan.Disk); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w; it is written, but not checked: install --verify %s does that", err, s.Plan.Disk.Name)
		}
		return report, err
	}
	if report.BootEntry, err = i.register(s); err != nil {
		note(fmt.Sprintf("%v; the firmware starts this disk by its removable path, if no other disk comes first", err))
	}
	if report.PeakBytes, err = peakMemory(i.Root); err != nil {
		note(err.Error())
	}
	return report, nil
}

// register makes the firmware start the disk first.
func (i *Installer) register(s *session.Session) (string, error) {
	var esp gpt.Partition
	for _, p := range s.Plan.After {
		if p.Type == gpt.TypeESP && !s.Plan.Keeps(p.Number) {
			esp = p
		}
	}
	var former []gpt.GUID
	for _, p := range s.Plan.Disk.Content.GUIDTable.Partitions {
		former = append(former, p.ID)
	}
	return bootentry.Register(i.Root, esp, s.Plan.Disk.SectorSize, former)
}

// peakMemory is how much memory this process has taken at most, the stick's and the disk's
// caches aside, which the kernel gives back.
func peakMemory(root string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the peak of memory is not known")
}
