package signature

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rayos/rayboot/gpt"
)

// EdgeBytes is how much is read at both ends of a disk, where tables and signatures of
// whole disks lie.
const EdgeBytes = gpt.MiB

// MaxPartitions is how many partitions are looked into; the others are only counted.
const MaxPartitions = 128

// Kinds of partition tables.
const (
	GPT = "gpt"
	MBR = "mbr"
)

// Content is what lies on a disk. Its JSON names are part of rayimg's interface.
type Content struct {
	Table      string      `json:"table,omitempty"` // GPT, MBR or "" for none
	Damage     []string    `json:"damage,omitempty"`
	FileSystem string      `json:"fileSystem,omitempty"` // of the disk as a whole
	Label      string      `json:"label,omitempty"`
	Partitions []Partition `json:"partitions,omitempty"`
	More       int         `json:"more,omitempty"` // partitions that are not in Partitions
	Systems    []string    `json:"systems,omitempty"`
	// Unknown says that there are bytes at an end of the disk which nothing else here
	// explains, such as those of an encrypted disk.
	Unknown bool `json:"unknown,omitempty"`

	// GUIDTable is the decoded table where Table is GPT.
	GUIDTable gpt.Table `json:"-"`
	// Fingerprint is a digest of both ends of the disk and of its table. It changes when
	// somebody partitions the disk or makes a file system on it.
	Fingerprint [sha256.Size]byte `json:"-"`
}

// Partition is one partition of a table.
type Partition struct {
	Number     int    `json:"number"`
	Name       string `json:"name,omitempty"` // in the table; MBRs have none
	Type       string `json:"type"`
	StartBytes int64  `json:"startBytes"`
	SizeBytes  int64  `json:"sizeBytes"`
	FileSystem string `json:"fileSystem,omitempty"`
	Label      string `json:"label,omitempty"`

	system string // the operating system that such a partition belongs to
}

// Empty reports whether there is nothing on the disk that anybody could miss.
func (c Content) Empty() bool { return c.Table == "" && c.FileSystem == "" && !c.Unknown }

// Read looks at a disk of diskBytes bytes. sectorSize is the logical one, in bytes. The
// error says that the ends of the disk cannot be read; what cannot be read in between
// is a part of the answer.
func Read(r io.ReaderAt, diskBytes int64, sectorSize int) (Content, error) {
	head, tail, err := edges(r, diskBytes)
	if err != nil {
		return Content{}, err
	}
	var c Content
	c.FileSystem, c.Label = fileSystem(r, 0, diskBytes)
	table, findings, err := gpt.Read(r, diskBytes)
	classic := c.classic(head, diskBytes, sectorSize)
	switch {
	case err == nil && table.FromBackup && len(classic) > 0: // everybody takes the classic table
		c.Damage = append(c.Damage, "an old GPT is left at the end of the disk")
		c.addMBR(r, classic, diskBytes, sectorSize)
	case err == nil:
		c.Table, c.GUIDTable = GPT, table
		for _, f := range findings {
			c.Damage = append(c.Damage, f.Text)
		}
		if table.SectorSize != sectorSize {
			c.Damage = append(c.Damage, fmt.Sprintf("the table is for sectors of %d bytes, the disk has %d", table.SectorSize, sectorSize))
		}
		c.addGPT(r, table)
	case !errors.Is(err, gpt.ErrNoTable):
		c.Table, c.Damage = GPT, []string{err.Error()}
	default:
		c.addMBR(r, classic, diskBytes, sectorSize)
	}
	c.addSystem(systemOf(c.FileSystem))
	c.Unknown = c.Empty() && !(blank(head) && blank(tail))
	c.Fingerprint = fingerprint(head, tail, c.GUIDTable)
	return c, nil
}

// edges reads both ends of the disk. They overlap on a disk that is smaller than two of
// them.
func edges(r io.ReaderAt, diskBytes int64) (head, tail []byte, err error) {
	n := min(diskBytes, EdgeBytes)
	head, tail = make([]byte, n), make([]byte, n)
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the start of the disk: %w", err)
	}
	if _, err := r.ReadAt(tail, diskBytes-n); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the end of the disk: %w", err)
	}
	return head, tail, nil
}

// blank reports whether b was never written, or erased: flash reads as ones then.
func blank(b []byte) bool {
	return len(bytes.Trim(b, "\x00")) == 0 || len(bytes.Trim(b, "\xff")) == 0
}

func fingerprint(head, tail []byte, t gpt.Table) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(head)
	h.Write(tail)
	fmt.Fprintf(h, "%+v", t)
	h.Sum(sum[:0])
	return sum
}

func (c *Content) addGPT(r io.ReaderAt, t gpt.Table) {
	for _, p := range t.Partitions {
		c.add(r, Partition{
			Number: p.Number, Name: p.Name, Type: gpt.TypeName(p.Type),
			StartBytes: p.StartBytes, SizeBytes: p.SizeBytes, system: systemOfType(p.Type),
		})
	}
}

// add takes in a partition and what lies in it.
func (c *Content) add(r io.ReaderAt, p Partition) {
	if len(c.Partitions) == MaxPartitions {
		c.More++
		return
	}
	p.FileSystem, p.Label = fileSystem(r, p.StartBytes, p.SizeBytes)
	c.addSystem(p.system)
	c.addSystem(systemOf(p.FileSystem))
	c.Partitions = append(c.Partitions, p)
}

// addSystem notes an operating system, once.
func (c *Content) addSystem(name string) {
	if name != "" && !slices.Contains(c.Systems, name) {
		c.Systems = append(c.Systems, name)
	}
}
