// Package bootstate is the boot-state record for programs in a virtual machine, read and written as the boot manager does it.
package bootstate

import "github.com/rayos/rayboot/efi/uefi"

// File is the file with the record, a record.Medium. Each access opens it anew.
type File struct {
	Files *uefi.FileSystem
	Path  string // as package io/fs has it
}

// Read reads the whole file.
func (f File) Read() ([]byte, error) { return f.Files.ReadFile(f.Path) }

// WriteAt writes into the file in place and flushes it.
func (f File) WriteAt(data []byte, offset int64) error { return f.Files.WriteAt(f.Path, data, offset) }
