package inspect

import (
	"encoding/hex"
	"errors"
	"io"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/system"
)

// System describes the RayOS System partition.
type System struct {
	Partition int    `json:"partition"`
	Error     string `json:"error,omitempty"` // why the rest is missing
	QEMU      string `json:"qemu"`            // version, as Debian has it
	Bytes     int64  `json:"bytes"`           // in use
	SHA256    string `json:"sha256"`          // of the squashfs, as its description says
}

// LinuxGuest describes the Linux Guest partition.
type LinuxGuest struct {
	Partition   int    `json:"partition"`
	Error       string `json:"error,omitempty"` // why it cannot be started, or the rest is missing
	FileSystem  string `json:"fileSystem"`
	Label       string `json:"label"`
	Bytes       int64  `json:"bytes"`
	FreeBytes   int64  `json:"freeBytes"`
	Clean       bool   `json:"clean"` // nothing is left in its journal
	KernelBytes int64  `json:"kernelBytes"`
	InitrdBytes int64  `json:"initrdBytes"`
}

// readSystem is nil where there is nothing of RayOS on the partition.
func readSystem(r *io.SectionReader, p gpt.Partition) *System {
	a, err := system.Read(r, r.Size())
	switch {
	case errors.Is(err, system.ErrNone):
		return nil
	case err != nil:
		return &System{Partition: p.Number, Error: err.Error()}
	}
	return &System{Partition: p.Number, QEMU: a.QEMU, Bytes: a.Bytes(), SHA256: hex.EncodeToString(a.SHA256[:])}
}

// readLinux is nil where there is no ext4 on the partition.
func readLinux(r *io.SectionReader, p gpt.Partition) *LinuxGuest {
	f, err := ext4.Open(r, r.Size())
	switch {
	case errors.Is(err, ext4.ErrNone):
		return nil
	case err != nil:
		return &LinuxGuest{Partition: p.Number, Error: err.Error()}
	}
	g := &LinuxGuest{Partition: p.Number, FileSystem: "ext4", Label: f.Label, Bytes: f.SizeBytes, FreeBytes: f.FreeBytes, Clean: f.Clean}
	if err := ext4.Bootable(f); err != nil {
		g.Error = err.Error()
	}
	for name, size := range map[string]*int64{ext4.KernelPath: &g.KernelBytes, ext4.InitrdPath: &g.InitrdBytes} {
		if file, err := f.Open(name); err == nil { // else Bootable has said so
			*size = file.Size()
		}
	}
	return g
}

// guests checks the file systems of guests.
func (v *verifier) guests() error {
	if p, ok := firstOfType(v.table, gpt.TypeRayOSSystem); ok {
		r := section(v.r, p)
		a, err := system.Read(r, r.Size())
		if err == nil {
			err = a.Verify(r)
		}
		switch {
		case errors.Is(err, system.ErrDamaged):
			v.report("guest-system", "partition %d (%s): %v; rayimg install --guests makes it anew", p.Number, p.Name, err)
		case err != nil && !errors.Is(err, system.ErrNone):
			return err
		}
	}
	p, ok := firstOfType(v.table, gpt.TypeLinuxData)
	if !ok {
		return nil
	}
	r := section(v.r, p)
	f, err := ext4.Open(r, r.Size())
	switch {
	case errors.Is(err, ext4.ErrCorrupt):
		v.report("guest-linux", "partition %d (%s): %v; e2fsck may repair it", p.Number, p.Name, err)
		return nil
	case errors.Is(err, ext4.ErrNone):
		return nil
	case err != nil:
		return err
	}
	if err := ext4.Bootable(f); err != nil { // a system of the user's own may be meant
		v.warn("guest-kernel", "partition %d (%s) cannot be started as a guest: %v", p.Number, p.Name, err)
	}
	return nil
}

func (d *drawing) system(s *System) {
	d.line("")
	if s.Error != "" {
		d.line("QEMU of guests (partition %d): %s", s.Partition, s.Error)
		return
	}
	d.line("QEMU of guests (partition %d): %s, %s, SHA-256 %.16s…", s.Partition, s.QEMU, sketch.Bytes(s.Bytes), s.SHA256)
}

func (d *drawing) linux(g *LinuxGuest) {
	d.line("")
	if g.Bytes == 0 {
		d.line("Linux guest (partition %d): %s", g.Partition, g.Error)
		return
	}
	state := map[bool]string{true: "clean", false: "in use, or not shut down"}[g.Clean]
	d.line("Linux guest (partition %d): %s %s, %s of %s free, %s", g.Partition, g.FileSystem, g.Label, sketch.Bytes(g.FreeBytes), sketch.Bytes(g.Bytes), state)
	if g.Error != "" {
		d.line("  %s", g.Error)
		return
	}
	d.line("  kernel %s, initrd %s", sketch.Bytes(g.KernelBytes), sketch.Bytes(g.InitrdBytes))
}
