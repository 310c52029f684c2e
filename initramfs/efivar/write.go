package efivar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Global is the vendor of the variables that the specification defines (UEFI 2.10 §3.3).
const Global = "8be4df61-93ca-11d2-aa0d-00e098032b8c"

// durable are the attributes of variables that stay, and that the firmware reads at its
// start (UEFI 2.10 §8.2): non-volatile, boot services, runtime.
const durable = 7

// Read returns the value of a variable of any kind from the efivarfs mounted at dir.
func Read(dir, name, vendor string) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, name+"-"+vendor))
	if err != nil {
		return nil, fmt.Errorf("read EFI variable %s: %w", name, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxValueBytes+1))
	if err == nil && (len(raw) < attributeBytes || len(raw) > maxValueBytes) {
		err = fmt.Errorf("%w: %d bytes", ErrFormat, len(raw))
	}
	if err != nil {
		return nil, fmt.Errorf("read EFI variable %s: %w", name, err)
	}
	return raw[attributeBytes:], nil
}

// Write makes a variable durable in the efivarfs mounted at dir, and reads it back. One that
// has the value already is not written: firmware has few writes to give.
func Write(dir, name, vendor string, value []byte) error {
	if old, err := Read(dir, name, vendor); err == nil && slices.Equal(old, value) {
		return nil
	}
	path := filepath.Join(dir, name+"-"+vendor)
	if err := write(path, value); err != nil {
		return fmt.Errorf("write EFI variable %s: %w", name, err)
	}
	got, err := Read(dir, name, vendor)
	if err != nil {
		return err
	}
	if !slices.Equal(got, value) {
		return fmt.Errorf("write EFI variable %s: the firmware keeps something else than was written", name)
	}
	return nil
}

// write writes attributes and value at once, as efivarfs wants them.
func write(path string, value []byte) error {
	raw := append(binary.LittleEndian.AppendUint32(nil, durable), value...)
	put := func() error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		_, err = f.Write(raw)
		return errors.Join(err, f.Close())
	}
	err := put()
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// efivarfs guards variables that it does not know against changes.
	if mutableErr := makeMutable(path); mutableErr != nil {
		return errors.Join(err, mutableErr)
	}
	return put()
}
