package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/bootstate"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

const (
	readFile  = "four-kib"
	readBytes = 4096
)

type machine struct {
	files     *uefi.FileSystem
	blocks    *uefi.BlockIO // the partition with the files
	installID string
	attempts  uint64
}

func openMachine(sys *uefi.System) (*machine, error) {
	files, device, err := report.Volume(sys)
	if err != nil {
		return nil, err
	}
	blocks, err := sys.BlockIO(device)
	if err != nil {
		return nil, err
	}
	data, err := files.ReadFile(esp.InstallIDPath)
	if err != nil {
		return nil, err
	}
	id, err := esp.ParseInstallID(data)
	return &machine{files: files, blocks: blocks, installID: id}, err
}

// round does each step once.
func (m *machine) round() error {
	return errors.Join(
		span("nothing", func() error { return nil }),
		m.loadAndSave("load", "save"),
		span("read file", m.readFile),
		span("read blocks", m.readBlocks),
	)
}

// loadAndSave is what a boot does with the record.
func (m *machine) loadAndSave(load, save string) error {
	var store *record.Store
	var state record.Record
	err := span(load, func() (err error) {
		store, state, err = m.load()
		return err
	})
	if err != nil {
		return err
	}
	next := m.attempt(state)
	return span(save, func() error { return store.Save(next) })
}

// load finds and reads the record, as readState of the boot manager does.
func (m *machine) load() (*record.Store, record.Record, error) {
	path, err := esp.Resolve(m.files, esp.BootStatePath)
	if err != nil {
		return nil, record.Record{}, err
	}
	store, loaded := record.Open(bootstate.File{Files: m.files, Path: path}, m.installID)
	if loaded.Status != record.Good {
		err = fmt.Errorf("the record is %v: %w", loaded.Status, loaded.Problem)
	}
	return store, loaded.Record, err
}

// attempt is a record that differs from all before, as every boot's does.
func (m *machine) attempt(r record.Record) record.Record {
	m.attempts++
	r.Open = record.Attempt{Kind: record.EntryAttempt, Entry: "rayos", Stage: record.StageStart}
	binary.LittleEndian.PutUint64(r.Open.Nonce[:], m.attempts)
	return r
}

// readFile reads 4 KiB of a file with as few calls as the firmware allows.
func (m *machine) readFile() error {
	data, err := m.files.ReadFile(readFile)
	if err == nil && len(data) != readBytes {
		err = fmt.Errorf("%s has %d bytes, want %d", readFile, len(data), readBytes)
	}
	return err
}

// readBlocks reads 4 KiB of the partition itself.
func (m *machine) readBlocks() error {
	pages, err := m.blocks.ReadPages(0, readBytes)
	if err != nil {
		return err
	}
	return pages.Free()
}

// fill saves a record in which there is no more room.
func (m *machine) fill() error {
	store, r, err := m.load()
	if err != nil {
		return err
	}
	for i := range record.MaxEntries {
		r.Entries = append(r.Entries, record.Entry{Key: fmt.Sprintf("%0*d", record.MaxKey, i), Failures: 1})
	}
	for range record.MaxEvents {
		r.AddEvent(record.Event{Kind: record.EntryFailed, Subject: r.Entries[0].Key})
	}
	return store.Save(r)
}
