// Package goldenstore is where the booted system keeps golden snapshots: the ESP
// of the boot disk. What snapshots are, and which are kept, is package golden's.
//
// The ESP stays mounted read-only. [Store.Change] makes it writable from the
// first change until its end, for one process at a time; should the machine stop
// meanwhile, what has no manifest yet is removed by the next snapshot.
package goldenstore

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/golden"
)

// Where things are, below the machine's root.
const (
	espDir   = "esp"                // the ESP of the boot disk
	lockFile = "run/rayos/esp.lock" // held by who changes the ESP
)

// Store is the golden store of the boot disk.
type Store struct {
	Dir    string // where the ESP is mounted
	Kernel string // device file of the disk's RayOS Kernel partition, "" if it has none
	Lock   string // file that is held by who changes the ESP
	Mount  Mount  // of Dir

	Key ed25519.PublicKey // that the boot manager wants snapshots to be signed with; nil if it wants no signature
}

// New returns the store of the machine below root. kernel is the kernel's name of
// the RayOS Kernel partition, "" if there is none; a nil mount is that of the
// directory.
func New(root, kernel string, mount Mount) Store {
	s := Store{Dir: filepath.Join(root, espDir), Lock: filepath.Join(root, lockFile), Mount: mount}
	if mount == nil {
		s.Mount = Mounted(s.Dir)
	}
	if kernel != "" {
		s.Kernel = filepath.Join(root, "dev", kernel)
	}
	return s
}

// Mount is the mount of an ESP.
type Mount interface {
	ReadOnly() (bool, error)
	Remount(readOnly bool) error
}

// Mounted is a directory where an ESP is mounted.
type Mounted string

// mountFlags are those that an ESP keeps when it is remounted.
const mountFlags = unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NODEV

// ReadOnly reports whether nothing can be written.
func (m Mounted) ReadOnly() (bool, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(string(m), &s); err != nil {
		return false, fmt.Errorf("look at %s: %w", string(m), err)
	}
	return s.Flags&unix.ST_RDONLY != 0, nil
}

// Remount lets things be written, or not any more.
func (m Mounted) Remount(readOnly bool) error {
	flags, word := uintptr(unix.MS_REMOUNT|mountFlags), "read-write"
	if readOnly {
		flags, word = flags|unix.MS_RDONLY, "read-only"
	}
	if err := unix.Mount("", string(m), "", flags, ""); err != nil {
		return fmt.Errorf("remount %s %s: %w", string(m), word, err)
	}
	return nil
}

// FS returns the files of the ESP.
func (s Store) FS() fs.FS { return os.DirFS(s.Dir) }

// Change calls do with the ESP as a volume that can be changed. Others who want
// to change it wait meanwhile. When ctx ends, Change stops waiting, and a file that
// is being written is removed.
func (s Store) Change(ctx context.Context, do func(golden.Volume) error) (err error) {
	v := s.Volume(ctx)
	if err := v.lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	return do(v)
}

// Volume returns the ESP as a volume of which others are kept from the first
// change on until Close. With the end of ctx it can be changed no longer.
func (s Store) Volume(ctx context.Context) *Volume {
	return &Volume{FS: s.FS(), ctx: ctx, store: s}
}
