package main

import (
	"debug/pe"
	"errors"
	"fmt"
	"strings"

	"github.com/rayos/rayboot/efi/goefi/sha2"
	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/markers"
)

// payload is what an entry is started from: read once, checked, and started from
// these same bytes.
type payload struct {
	image  *uefi.Pages
	initrd *uefi.Pages     // nil if the entry has none
	path   uefi.DevicePath // where the image came from
	booted golden.Booted   // what the started system is told about it; without digests if nobody asks for them
}

func (p *payload) free() error {
	var err error
	for _, pages := range []*uefi.Pages{p.image, p.initrd} {
		if pages != nil {
			err = errors.Join(err, pages.Free())
		}
	}
	return err
}

// source reads what an entry is started from. An error is a *stageError. The
// payload is to be freed in any case.
type source interface {
	read(sys *uefi.System) (payload, error)
}

// stageError says at which step an entry failed.
type stageError struct {
	stage markers.StartStage
	err   error
}

func (e *stageError) Error() string { return e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// at marks an error with its step; nil stays nil.
func at(stage markers.StartStage, err error) error {
	if err == nil {
		return nil
	}
	return &stageError{stage, err}
}

// volume is a mounted file system.
type volume struct {
	device uefi.Handle
	files  *uefi.FileSystem
}

// fileSource is an image, and perhaps initrds, in files of one volume.
type fileSource struct {
	volume volume
	title  string
	image  string   // slash path
	initrd []string // slash paths, concatenated in this order
	pins   esp.Pins // what their digests must be
	digest bool     // the started system wants to know their digests
}

func (f fileSource) read(sys *uefi.System) (p payload, err error) {
	if p.path, err = sys.DevicePath(f.volume.device); err != nil {
		return p, at(markers.StageRead, err)
	}
	if p.path, err = p.path.AppendFile(f.image); err != nil {
		return p, at(markers.StageRead, err)
	}
	if p.image, err = f.volume.files.ReadPages(f.image); err != nil {
		return p, at(markers.StageRead, err)
	}
	if p.initrd, err = f.readInitrd(sys); err != nil {
		return p, at(markers.StageRead, err)
	}
	if err := f.verify(&p); err != nil {
		return p, at(markers.StageVerify, err)
	}
	return p, at(markers.StageLoad, checkImage(f.image, p.image.Bytes()))
}

// verify compares what was read with what the entry pins.
func (f fileSource) verify(p *payload) error {
	p.booted.Title = f.title
	if !f.digest && f.pins == (esp.Pins{}) {
		return nil
	}
	p.booted.Kernel = bootedFiles(p.image, f.image)
	if p.initrd != nil {
		p.booted.Initrd = bootedFiles(p.initrd, f.initrd...)
	}
	return errors.Join(
		verifyPin(f.image, golden.Digest(f.pins.Linux), p.booted.Kernel.SHA256),
		verifyPin(strings.Join(f.initrd, ", "), golden.Digest(f.pins.Initrd), p.booted.Initrd.SHA256),
	)
}

func bootedFiles(pages *uefi.Pages, paths ...string) golden.BootedPart {
	data := pages.Bytes()
	return golden.BootedPart{Paths: paths, Slot: -1, LengthBytes: int64(len(data)), SHA256: sum(data)}
}

// sum digests what may have many megabytes: crypto/sha256 and whoever uses it do
// so slowly in an EFI application.
func sum(data []byte) golden.Digest { return sha2.Sum256(data) }

// verifyPin compares a digest with the one that is pinned, if one is.
func verifyPin(name string, pin, got golden.Digest) error {
	if pin == (golden.Digest{}) {
		return nil
	}
	return pin.Verify(name, got)
}

// initrdAlign is where the kernel looks for the next archive after one.
const initrdAlign = 4

// readInitrd reads the initrds one after the other into one buffer.
func (f fileSource) readInitrd(sys *uefi.System) (*uefi.Pages, error) {
	switch len(f.initrd) {
	case 0:
		return nil, nil
	case 1:
		return f.volume.files.ReadPages(f.initrd[0])
	}
	var parts []*uefi.Pages
	var err error
	size := 0
	for _, name := range f.initrd {
		part, e := f.volume.files.ReadPages(name)
		if err = e; err != nil {
			break
		}
		parts = append(parts, part)
		size += roundUp(len(part.Bytes()), initrdAlign)
	}
	var all *uefi.Pages
	if err == nil {
		if all, err = sys.AllocatePages(size); err == nil {
			join(all.Bytes(), parts)
		}
	}
	for _, part := range parts {
		err = errors.Join(err, part.Free())
	}
	return all, err
}

// join copies the parts into dst, each padded with zeros.
func join(dst []byte, parts []*uefi.Pages) {
	clear(dst)
	for _, part := range parts {
		copy(dst, part.Bytes())
		dst = dst[roundUp(len(part.Bytes()), initrdAlign):]
	}
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// slotSource is a kernel slot of the RayOS Kernel partition.
type slotSource struct {
	device    uefi.Handle
	partition *uefi.BlockIO
	slot      slots.Slot
}

func (s slotSource) read(sys *uefi.System) (p payload, err error) {
	if p.path, err = sys.DevicePath(s.device); err != nil {
		return p, at(markers.StageRead, err)
	}
	p.booted.Title = s.slot.Title
	if p.image, err = s.readImage("kernel", s.slot.Kernel); err != nil {
		return p, err
	}
	p.booted.Kernel = s.bootedPart(s.slot.Kernel)
	if s.slot.Initrd.LengthBytes > 0 {
		if p.initrd, err = s.readImage("initrd", s.slot.Initrd); err != nil {
			return p, err
		}
		p.booted.Initrd = s.bootedPart(s.slot.Initrd)
	}
	return p, at(markers.StageLoad, checkImage(s.name("kernel"), p.image.Bytes()))
}

func (s slotSource) name(what string) string { return fmt.Sprintf("%s of slot %d", what, s.slot.Index) }

func (s slotSource) bootedPart(image slots.Image) golden.BootedPart {
	return golden.BootedPart{
		Slot: s.slot.Index, OffsetBytes: image.OffsetBytes, LengthBytes: image.LengthBytes, SHA256: golden.Digest(image.SHA256),
	}
}

// readImage reads an image of the slot and compares it with its digest.
func (s slotSource) readImage(what string, image slots.Image) (*uefi.Pages, error) {
	pages, err := s.partition.ReadPages(image.OffsetBytes, int(image.LengthBytes))
	if err != nil {
		return nil, at(markers.StageRead, fmt.Errorf("%s: %w", s.name(what), err))
	}
	return pages, at(markers.StageVerify, golden.Digest(image.SHA256).Verify(s.name(what), sum(pages.Bytes())))
}

// checkImage refuses what is no EFI application for this machine, and what is
// shorter than its headers say: firmware starts a truncated kernel without a
// word.
func checkImage(name string, data []byte) error {
	image, err := pecoff.Parse(data)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case image.Machine != peMachine:
		return fmt.Errorf("%s: made for another kind of machine (%#x, this one is %#x)", name, image.Machine, peMachine)
	case image.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_APPLICATION:
		return fmt.Errorf("%s: not an EFI application (subsystem %d)", name, image.Subsystem)
	}
	return nil
}
