package golden

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Volume is an ESP that snapshots can be written to.
type Volume interface {
	fs.FS
	// Create makes a new file of size bytes and the directories above it, durable
	// when it returns. A file that exists is fs.ErrExist. After an error, or a cut of the power, there may be no
	// file or a part of one.
	Create(name string, size int64, r io.Reader) error
	// Remove removes a file.
	Remove(name string) error
	// FreeBytes is how much room there is.
	FreeBytes() (int64, error)
}

// slackBytes is room that files take up besides their content: the ends of their
// clusters, and entries in the directory.
const slackBytes = 256 << 10

// Verify compares the parts of a snapshot with their digests. kernels is the
// partition with the kernel slots; nil if there is none.
func Verify(v fs.FS, kernels io.ReaderAt, s Snapshot) error {
	return errors.Join(s.Kernel.verify(v, kernels, "kernel"), s.Initrd.verify(v, kernels, "initrd"))
}

func (p Part) verify(v fs.FS, kernels io.ReaderAt, what string) error {
	if p.LengthBytes == 0 {
		return nil
	}
	if p.Slot != noSlot {
		if kernels == nil {
			return fmt.Errorf("verify %s: it lies in kernel slot %d, and there is no RayOS Kernel partition", what, p.Slot)
		}
		return p.verifyReader(what, io.NewSectionReader(kernels, p.OffsetBytes, p.LengthBytes))
	}
	f, err := v.Open(path.Join(Dir, p.FileName()))
	if err != nil {
		return fmt.Errorf("verify %s: %w", what, err)
	}
	defer f.Close()
	return p.verifyReader(what, f)
}

func (p Part) verifyReader(what string, r io.Reader) error {
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, p.LengthBytes+1))
	if err != nil {
		return fmt.Errorf("verify %s: %w", what, err)
	}
	if n != p.LengthBytes {
		return fmt.Errorf("verify %s: it has %d bytes, want %d", what, n, p.LengthBytes)
	}
	return p.SHA256.Verify(what, Digest(h.Sum(nil)))
}

// createManifest writes the snapshot's manifest and reads it back.
func createManifest(v Volume, s Snapshot) error {
	b, err := EncodeManifest(s)
	if err != nil {
		return err
	}
	name := path.Join(Dir, s.Name())
	if err := v.Create(name, ManifestBytes, bytes.NewReader(b[:])); err != nil {
		return err
	}
	got, err := fs.ReadFile(v, name)
	if err == nil && !bytes.Equal(got, b[:]) {
		err = errors.New("the medium holds something else than was written")
	}
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	return nil
}

// Promote makes a candidate stable, and reports whether it was one. The new
// manifest is whole before the old one goes: a cut of the power leaves one.
func Promote(v Volume, id Digest) (bool, error) {
	all, problems := List(v)
	for _, s := range all {
		if s.ID() != id {
			continue
		}
		promoted := s.State == Candidate
		if err := promote(v, s); err != nil {
			return false, fmt.Errorf("promote snapshot %.16s: %w", id, err)
		}
		return promoted, nil
	}
	return false, errors.Join(fmt.Errorf("promote snapshot %.16s: there is none", id), errors.Join(problems...))
}

func promote(v Volume, s Snapshot) error {
	if s.State == Candidate {
		s.State = Stable
		// What a cut left of an earlier try is in the way.
		if err := removeIfThere(v, path.Join(Dir, s.Name())); err != nil {
			return err
		}
		if err := createManifest(v, s); err != nil {
			return err
		}
	}
	s.State = Candidate
	return removeIfThere(v, path.Join(Dir, s.Name()))
}

// removeIfThere removes a file. Where there is none, nothing is written.
func removeIfThere(v Volume, name string) error {
	if _, err := fs.Stat(v, name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return v.Remove(name)
}

// Drop removes a snapshot: its manifests first, then the parts that neither
// another snapshot nor, as inUse says, a boot entry starts.
func Drop(v Volume, id Digest, inUse func(part string) bool) error {
	all, _ := List(v)
	found := false
	for _, s := range all {
		if s.ID() != id {
			continue
		}
		found = true
		for _, state := range []State{Stable, Candidate} {
			s.State = state
			if err := removeIfThere(v, path.Join(Dir, s.Name())); err != nil {
				return fmt.Errorf("drop snapshot %.16s: %w", id, err)
			}
		}
	}
	if !found {
		return fmt.Errorf("drop snapshot %.16s: there is none", id)
	}
	return collect(v, inUse)
}
