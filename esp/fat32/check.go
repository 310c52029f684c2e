package fat32

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Finding is one defect of a volume. Code is stable and meant for programs;
// Text is for people.
type Finding struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Codes of findings that do no harm: what a cut of the power leaves behind, and what
// [Edit] mends. Nothing is lost but a little room.
const (
	codeLost   = "fat-lost-clusters" // taken, but of no file
	codeDiffer = "fat-copies-differ" // the first FAT is the one that is read
	codeInfo   = "fat-fsinfo"        // FSInfo is a hint
	codeDirty  = "fat-dirty"         // the volume was not unmounted
	codeOrphan = "fat-orphan"        // entries of a long name whose file is gone

	codeName = "fat-name"
)

// Harmless reports whether the defect is one that a cut of the power leaves behind, or a
// system that did not unmount the volume: no file is hurt by it.
func (f Finding) Harmless() bool { return slices.Contains(leftovers, f.Code) }

// leftovers are the codes of such defects.
var leftovers = []string{codeLost, codeDiffer, codeInfo, codeDirty, codeOrphan}

// maxFindings bounds the list; its last element then says that there is more.
const maxFindings = 100

// Check examines the structure of a volume: boot sector and its backup, FSInfo,
// both FATs, directories, chains. It reads the content of no file. The error is
// that of [Open], or of reading. Memory is one bit for each cluster; a
// hostile volume cannot make it visit a cluster twice.
func Check(r io.ReaderAt, sizeBytes int64) ([]Finding, error) {
	f, err := Open(r, sizeBytes)
	if err != nil {
		return nil, err
	}
	c, err := f.check()
	return c.findings, err
}

// check examines the volume.
func (f *FS) check() (*checker, error) {
	c := &checker{f: f, used: make(clusterSet, (f.clusters+rootCluster+7)/8)}
	for _, step := range []func() error{c.reserved, c.tree, c.fats} {
		if err := step(); err != nil {
			return c, fmt.Errorf("check FAT32 volume: %w", err)
		}
	}
	return c, nil
}

type checker struct {
	f        *FS
	used     clusterSet // the clusters in chains
	findings []Finding
}

func (c *checker) report(code, format string, args ...any) {
	switch len(c.findings) {
	case maxFindings:
	case maxFindings - 1:
		c.findings = append(c.findings, Finding{Code: "fat-more", Text: "there are more problems than can be listed"})
	default:
		c.findings = append(c.findings, Finding{Code: code, Text: fmt.Sprintf(format, args...)})
	}
}

// reserved checks the reserved area.
func (c *checker) reserved() error {
	f := c.f
	if f.clusters < minClusters {
		c.report("fat-too-small", "%d clusters are fewer than FAT32's %d; some firmware takes the volume for FAT16", f.clusters, minClusters)
	}
	b := make([]byte, 2*f.sectorBytes)
	if n, err := f.r.ReadAt(b, 0); n < len(b) {
		return fmt.Errorf("read reserved area: %w", err)
	}
	if f.boot.backup == 0 || f.boot.backup+1 >= f.reserved {
		c.report("fat-backup-boot", "there is no backup boot sector")
		return nil
	}
	backup := make([]byte, len(b))
	if n, err := f.r.ReadAt(backup, f.boot.backup*f.sectorBytes); n < len(b) {
		return fmt.Errorf("read backup boot sector: %w", err)
	}
	if b[offState]&stateDirty != 0 {
		c.report(codeDirty, "the volume was not unmounted cleanly")
	}
	b[offState], backup[offState] = 0, 0 // Linux keeps it in the first one only
	if !bytes.Equal(b[:f.sectorBytes], backup[:f.sectorBytes]) {
		c.report("fat-backup-boot", "boot sector and backup boot sector differ")
	}
	return nil
}

// fats compares the FATs, counts free clusters, and finds lost ones.
func (c *checker) fats() error {
	f := c.f
	readers := []*fatReader{f.newFATReader(f.boot.activeFAT)}
	if f.boot.mirrored && f.fats == 2 {
		readers = append(readers, f.newFATReader(1))
	}
	var free, lost, differ int64
	for n := uint32(0); int64(n) < f.clusters+rootCluster; n++ {
		e, err := readers[0].entry(n)
		if err != nil {
			return err
		}
		if len(readers) > 1 {
			other, err := readers[1].entry(n)
			if err != nil {
				return err
			}
			if other != e {
				differ++
			}
		}
		switch {
		case n < rootCluster:
			c.reservedEntry(n, e)
		case e == 0:
			free++
		case e != badCluster && !c.used.has(n):
			lost++
		}
	}
	if differ > 0 {
		c.report(codeDiffer, "the two FATs differ in %d entries", differ)
	}
	if lost > 0 {
		c.report(codeLost, "%d clusters are taken but belong to no file", lost)
	}
	return c.info(free)
}

// reservedEntry checks the first two entries (FAT §4).
func (c *checker) reservedEntry(n, e uint32) {
	switch {
	case n == 0 && e&^0xff != fatEntry0&^0xff:
		c.report("fat-media", "FAT entry 0 is %#08x", e)
	case n == 1:
		if e&cleanBit == 0 {
			c.report(codeDirty, "the volume was not unmounted cleanly")
		}
		if e&noErrorBit == 0 {
			c.report("fat-io-error", "the volume had read or write errors")
		}
	}
}

// info checks the FSInfo sector, given the number of free clusters.
func (c *checker) info(free int64) error {
	f := c.f
	if f.boot.info == 0 || f.boot.info >= f.reserved {
		c.report(codeInfo, "there is no FSInfo sector")
		return nil
	}
	b := make([]byte, 512)
	if n, err := f.r.ReadAt(b, f.boot.info*f.sectorBytes); n < len(b) {
		return fmt.Errorf("read FSInfo: %w", err)
	}
	le := binary.LittleEndian
	if le.Uint32(b) != infoLead || le.Uint32(b[484:]) != infoStruct || le.Uint32(b[508:]) != infoTrail {
		c.report(codeInfo, "the FSInfo sector has wrong signatures")
		return nil
	}
	const unknown = 0xffffffff
	if count := le.Uint32(b[488:]); count != unknown && int64(count) != free {
		c.report(codeInfo, "FSInfo says that %d clusters are free, %d are", count, free)
	}
	if next := le.Uint32(b[492:]); next != unknown && int64(next) >= f.clusters+rootCluster && free > 0 {
		c.report(codeInfo, "FSInfo says that cluster %d is the next free one, the last is %d", next, f.clusters+rootCluster-1)
	}
	return nil
}

var errUsedTwice = errors.New("cluster is used twice")

// take marks cluster n, which may be used once.
func (c *checker) take(n uint32) error {
	if c.used.has(n) {
		return fmt.Errorf("%w: %d", errUsedTwice, n)
	}
	c.used.add(n)
	return nil
}

// clusterSet is a set of clusters, one bit for each.
type clusterSet []byte

func (s clusterSet) has(n uint32) bool { return s[n/8]&(1<<(n%8)) != 0 }
func (s clusterSet) add(n uint32)      { s[n/8] |= 1 << (n % 8) }
func (s clusterSet) remove(n uint32)   { s[n/8] &^= 1 << (n % 8) }
