package content

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// Check compares a disk with what an installation is: both copies of the table, the file
// system of the ESP, the files with their digests, the entries with their pins, install ID
// and boot state, the kernel slots. The findings are for people; none means that all is well.
// The error is one of reading.
func Check(r io.ReaderAt, sizeBytes int64) (findings []string, err error) {
	table, damage, err := gpt.Read(r, sizeBytes)
	for _, d := range damage {
		findings = append(findings, d.Text)
	}
	if err != nil {
		return append(findings, err.Error()), nil
	}
	d := Disk{Partitions: table.Partitions}
	e := d.ESP()
	if e.Number == 0 {
		return append(findings, "there is no EFI System Partition"), nil
	}
	c := checker{findings: findings}
	if err := c.volume(io.NewSectionReader(r, e.StartBytes, e.SizeBytes), e.SizeBytes); err != nil {
		return c.findings, err
	}
	if k := d.find(gpt.TypeRayOSKernel); k.Number != 0 {
		c.slots(io.NewSectionReader(r, k.StartBytes, k.SizeBytes))
	}
	return c.findings, nil
}

// checker collects findings.
type checker struct{ findings []string }

func (c *checker) report(format string, args ...any) {
	c.findings = append(c.findings, fmt.Sprintf(format, args...))
}

// volume looks at the ESP.
func (c *checker) volume(r io.ReaderAt, sizeBytes int64) error {
	damage, err := fat32.Check(r, sizeBytes)
	for _, d := range damage {
		c.report("ESP: %s", d.Text)
	}
	if errors.Is(err, fat32.ErrNotFAT32) || errors.Is(err, fat32.ErrCorrupt) {
		c.report("ESP: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	volume, err := fat32.Open(r, sizeBytes)
	if err != nil {
		return err
	}
	s := Stick{ESP: volume}
	all, err := s.list()
	if err == nil {
		err = s.verify(all)
	}
	if err != nil {
		c.report("ESP: %v", err)
	}
	c.identity(volume)
	return nil
}

// identity looks at the files that belong to this installation alone.
func (c *checker) identity(volume fs.FS) {
	text, err := readSmall(volume, esp.InstallIDPath)
	if err != nil {
		c.report("ESP: %v", err)
		return
	}
	id, err := esp.ParseInstallID(text)
	if err != nil {
		c.report("ESP: %s: %v", esp.InstallIDPath, err)
		return
	}
	state, err := readSmall(volume, esp.BootStatePath)
	if err != nil {
		c.report("ESP: %v", err)
		return
	}
	if _, loaded := record.Open(stored(state), id); loaded.Status != record.Good && loaded.Status != record.Degraded {
		c.report("boot state: %v", loaded.Problem)
	}
}

// Origin returns the install ID of the stick that a disk was installed from, empty where the
// disk does not say.
func Origin(r io.ReaderAt, table gpt.Table) string {
	e := (&Disk{Partitions: table.Partitions}).ESP()
	volume, err := fat32.Open(io.NewSectionReader(r, e.StartBytes, e.SizeBytes), e.SizeBytes)
	if err != nil {
		return ""
	}
	text, err := readSmall(volume, OriginPath)
	if err != nil {
		return ""
	}
	id, err := esp.ParseInstallID(text)
	if err != nil {
		return ""
	}
	return id
}

// stored is a boot state that is only read.
type stored []byte

func (s stored) Read() ([]byte, error)       { return s, nil }
func (s stored) WriteAt([]byte, int64) error { return errors.ErrUnsupported }

// slots looks at the kernel slots. A table that is not there is no finding: a disk may have
// none, with a layout of one's own.
func (c *checker) slots(kernels io.ReaderAt) {
	if _, err := (Stick{Kernels: kernels}).slots(); err != nil {
		c.report("%v", err)
	}
	for i, side := range slots.ReadCopies(kernels) {
		if side.Err != nil && !errors.Is(side.Err, slots.ErrNoTable) {
			c.report("copy %d of the slot table: %v", i, side.Err)
		}
	}
}
