package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

// fileLife makes a file of several clusters, gives it names as boot counting does, and removes it.
func fileLife(sys *uefi.System) error {
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	before, err := files.Info()
	if err != nil {
		return err
	}
	data := bytes.Repeat([]byte("golden "), 20_000)
	name := "EFI/BOOT/entry of some length+3.conf"
	if err := files.Create(name, data); err != nil {
		return err
	}
	during, err := files.Info()
	if err != nil {
		return err
	}
	if used := before.FreeBytes - during.FreeBytes; used < int64(len(data)) || before.ReadOnly {
		return fmt.Errorf("%d bytes take up %d, volume %+v", len(data), used, before)
	}
	for _, next := range []string{"EFI/BOOT/entry of some length+2-1.conf", "EFI/BOOT/entry of some length+1-2.conf", "EFI/BOOT/e"} {
		if err := files.Rename(name, next); err != nil {
			return err
		}
		name = next
	}
	if got, err := files.ReadFile(name); err != nil || !bytes.Equal(got, data) {
		return fmt.Errorf("the renamed file holds %d bytes: %w", len(got), err)
	}
	if err := files.Remove(name); err != nil {
		return err
	}
	after, err := files.Info()
	if err == nil && after != before {
		err = fmt.Errorf("the volume is %+v afterwards, was %+v", after, before)
	}
	return err
}

func takenNames(sys *uefi.System) error {
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	if err := files.Create("empty file", nil); err != nil {
		return err
	}
	for name, err := range map[string]error{
		"create": files.Create("EMPTY FILE", []byte("x")),
		"rename": files.Rename("empty file", stateFile),
		"case":   files.Rename("empty file", "Empty File"),
	} {
		if !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s with a name that is taken: %w", name, err)
		}
	}
	if err := files.Remove("EFI"); !errors.Is(err, uefi.WarnDeleteFailure) {
		return fmt.Errorf("remove a directory that is not empty: %w", err)
	}
	if err := files.Rename("no such file", "x"); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rename a missing file: %w", err)
	}
	if err := files.Create("no such directory/x", nil); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create in a missing directory: %w", err)
	}
	return files.Remove("empty file")
}

// fullVolume asks for more than the volume has.
func fullVolume(sys *uefi.System) error {
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	before, err := files.Info()
	if err != nil {
		return err
	}
	if err := files.Create("too large", make([]byte, before.FreeBytes+1)); !errors.Is(err, uefi.ErrVolumeFull) {
		return fmt.Errorf("create a file larger than the volume: %w", err)
	}
	if _, err := files.Stat("too large"); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("what is left of it: %w", err)
	}
	after, err := files.Info()
	if err == nil && after != before {
		err = fmt.Errorf("the volume is %+v afterwards, was %+v", after, before)
	}
	return err
}

// readOnlyVolume looks for the second disk of the machine, which QEMU write-protects.
func readOnlyVolume(sys *uefi.System) error {
	handles, err := sys.Handles(uefi.SimpleFileSystemProtocol)
	if err != nil {
		return err
	}
	for _, h := range handles {
		files, err := sys.FileSystem(h)
		if err != nil {
			return err
		}
		info, err := files.Info()
		if err != nil {
			return err
		}
		if !info.ReadOnly {
			continue
		}
		for name, err := range map[string]error{
			"create": files.Create("new", []byte("x")),
			"rename": files.Rename("state.bin", "other"),
			"remove": files.Remove("state.bin"),
			"write":  files.WriteAt("state.bin", []byte("x"), 0),
		} {
			if !errors.Is(err, uefi.ErrWriteProtected) {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	return fmt.Errorf("there is none among %d volumes", len(handles))
}
