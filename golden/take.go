package golden

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Source is a system that was booted, and where its parts can be read now.
type Source struct {
	Booted Booted
	Entry  string                                       // key of the boot entry
	Open   func(part BootedPart) (io.ReadCloser, error) // reads a part from where it was booted
	Key    ed25519.PublicKey                            // that the boot manager wants signatures of; nil if it wants none
}

// ErrChanged is in the chain of the error of Take for a part that is not what
// was booted any more.
var ErrChanged = errors.New("it has changed since it was booted; no snapshot is taken")

// Take makes a candidate of what was booted, and reports whether there was no
// snapshot of it yet. If there was, it writes nothing. The parts come first, each
// read back, then the manifest: a cut of the power leaves no snapshot that is not
// whole. inUse reports whether a boot entry starts a file of the store.
//
// Where the ESP has no room for the parts and they were booted from a kernel slot,
// the snapshot refers to them there. It lasts until the slot is written anew, and
// is made anew by the next Take then.
func Take(v Volume, src Source, inUse func(part string) bool) (s Snapshot, made bool, err error) {
	s = Snapshot{
		State: Candidate, Entry: src.Entry, Title: src.Booted.Title, Options: src.Booted.Options,
		Kernel: storedPart(src.Booted.Kernel), Initrd: storedPart(src.Booted.Initrd),
	}
	if err := s.Check(); err != nil {
		return Snapshot{}, false, fmt.Errorf("take a snapshot: %w", err)
	}
	all, _ := List(v)
	for _, old := range all {
		if old.ID() != s.ID() {
			continue
		}
		if !src.overwritten(v, old) {
			return old, false, nil
		}
		if err := Drop(v, old.ID(), inUse); err != nil {
			return Snapshot{}, false, fmt.Errorf("take a snapshot: %w", err)
		}
	}
	if s, err = src.take(v, s, inUse); err != nil {
		return Snapshot{}, false, errors.Join(fmt.Errorf("take a snapshot: %w", err), collect(v, inUse))
	}
	return s, true, nil
}

// take makes room for the snapshot and writes it.
func (src Source) take(v Volume, s Snapshot, inUse func(part string) bool) (Snapshot, error) {
	all, _ := List(v)
	for _, old := range all {
		s.Sequence = max(s.Sequence, old.Sequence)
	}
	s.Sequence++
	err := makeRoom(v, src, all, s, inUse)
	if errors.Is(err, errNoRoom) {
		refer(&s.Kernel, src.Booted.Kernel)
		refer(&s.Initrd, src.Booted.Initrd)
		if s.inSlot() {
			all, _ = List(v)
			err = makeRoom(v, src, all, s, inUse)
		}
	}
	if err != nil {
		return s, err
	}
	return s, write(v, src, s)
}

func storedPart(p BootedPart) Part {
	return Part{LengthBytes: p.LengthBytes, SHA256: p.SHA256, Slot: noSlot}
}

// refer makes a part that was booted from a kernel slot lie there.
func refer(p *Part, booted BootedPart) {
	if p.LengthBytes > 0 && len(booted.Paths) == 0 && booted.Slot != noSlot {
		p.Slot, p.OffsetBytes = booted.Slot, booted.OffsetBytes
	}
}

// inSlot reports whether a part of the snapshot lies in a kernel slot.
func (s Snapshot) inSlot() bool { return s.Kernel.Slot != noSlot || s.Initrd.Slot != noSlot }

// overwritten reports whether a snapshot lies in a kernel slot that holds
// something else now. What cannot be read is not taken for that.
func (src Source) overwritten(v fs.FS, s Snapshot) bool {
	return s.inSlot() && errors.As(src.whole(v, s), new(*MismatchError))
}

// whole says why a part of the snapshot is not what it should be.
func (src Source) whole(v fs.FS, s Snapshot) error {
	return errors.Join(src.verify(v, "kernel", s.Kernel), src.verify(v, "initrd", s.Initrd))
}

// usable reports whether the boot manager would start a snapshot that is there.
func (src Source) usable(v fs.FS, s Snapshot) bool {
	return (src.Key == nil || s.CheckSignature(src.Key) == nil) && src.whole(v, s) == nil
}

// verify compares a part with its digest where it lies.
func (src Source) verify(v fs.FS, what string, p Part) error {
	if p.Slot == noSlot {
		return p.verify(v, nil, what)
	}
	r, err := src.Open(BootedPart{Slot: p.Slot, OffsetBytes: p.OffsetBytes, LengthBytes: p.LengthBytes, SHA256: p.SHA256})
	if err != nil {
		return err
	}
	return errors.Join(p.verifyReader(what, r), r.Close())
}

func write(v Volume, src Source, s Snapshot) error {
	for _, part := range []struct {
		what   string
		booted BootedPart
		stored Part
	}{{"kernel", src.Booted.Kernel, s.Kernel}, {"initrd", src.Booted.Initrd, s.Initrd}} {
		var err error
		switch {
		case part.stored.LengthBytes == 0:
		case part.stored.Slot == noSlot:
			err = copyPart(v, src, part.what, part.booted, part.stored)
		default:
			if err = src.verify(v, part.what, part.stored); err != nil {
				err = fmt.Errorf("%w: %w", ErrChanged, err)
			}
		}
		if err != nil {
			return err
		}
	}
	if err := removeIfThere(v, path.Join(Dir, s.Name())); err != nil {
		return err // what a cut left of it is in the way
	}
	return createManifest(v, s)
}

// copyPart copies a part into the store and reads it back. One that is there
// already and whole is left as it is.
func copyPart(v Volume, src Source, what string, booted BootedPart, stored Part) error {
	name := path.Join(Dir, stored.FileName())
	err := stored.verify(v, nil, what)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if err := v.Remove(name); err != nil {
			return err
		}
	}
	r, err := src.Open(booted)
	if err != nil {
		return err
	}
	err = stored.verifyReader(what, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if r, err = src.Open(booted); err != nil {
		return err
	}
	err = v.Create(name, stored.LengthBytes, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	if err := stored.verify(v, nil, what); err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	return nil
}
