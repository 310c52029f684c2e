package inspect

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// verifier collects findings.
type verifier struct {
	ctx      context.Context
	r        io.ReaderAt
	table    gpt.Table
	ids      map[string]bool          // boot entries that were found
	sums     map[string]golden.Digest // of files of the ESP, by path in lower case
	findings []Finding
}

func (v *verifier) report(code, format string, args ...any) {
	v.findings = append(v.findings, Finding{Code: code, Text: fmt.Sprintf(format, args...)})
}

// warn reports what mends itself.
func (v *verifier) warn(code, format string, args ...any) {
	v.report(code, format, args...)
	v.findings[len(v.findings)-1].Warning = true
}

// Verify checks the disk of diskBytes bytes in r: both copies of the partition
// table, the structure of the ESP, the files that the boot entries name and the
// digests that they pin, the digests of the files of RayOS, the slot table and the
// digests of its images, the boot-state record, the golden snapshots, the log, and the file systems of guests. A disk on
// which nothing is wrong gives no findings; what a cut of the power leaves behind at worst
// gives warnings. The error says that the check
// could not be made, because reading did not succeed or ctx was cancelled.
func Verify(ctx context.Context, r io.ReaderAt, diskBytes int64) ([]Finding, error) {
	table, defects, err := gpt.Read(r, diskBytes)
	v := &verifier{ctx: ctx, r: r, table: table, ids: map[string]bool{}, sums: map[string]golden.Digest{}}
	for _, d := range defects {
		v.report(d.Code, "%s", d.Text)
	}
	if err != nil {
		if errors.Is(err, gpt.ErrNoTable) || len(defects) > 0 {
			v.report("gpt-none", "%v", err)
			return v.findings, nil
		}
		return nil, err
	}
	if err := v.slots(); err != nil {
		return v.findings, fmt.Errorf("verify kernel slots: %w", err)
	}
	if err := v.esp(); err != nil {
		return v.findings, fmt.Errorf("verify ESP: %w", err)
	}
	if err := v.state(); err != nil {
		return v.findings, fmt.Errorf("verify state: %w", err)
	}
	if err := v.guests(); err != nil {
		return v.findings, fmt.Errorf("verify guests: %w", err)
	}
	return v.findings, ctx.Err()
}

// slots checks both copies of the slot table and the images.
func (v *verifier) slots() error {
	p, ok := firstOfType(v.table, gpt.TypeRayOSKernel)
	if !ok {
		return nil
	}
	r := section(v.r, p)
	copies := slots.ReadCopies(r)
	if errors.Is(copies[0].Err, slots.ErrNoTable) && errors.Is(copies[1].Err, slots.ErrNoTable) {
		v.warn("slot-none", "there is no slot table: the boot manager has no kernel slots to offer")
		return nil
	}
	for i, c := range copies {
		if c.Err != nil {
			v.report("slot-table", "copy %c: %v", 'A'+i, c.Err)
		}
	}
	if copies[0].Err == nil && copies[1].Err == nil && !reflect.DeepEqual(copies[0].Table, copies[1].Table) {
		v.warn("slot-copies-differ", "the copies of the slot table have the sequence numbers %d and %d and differ; the newer one is used, and the next rayimg upgrade mends that",
			copies[0].Table.Sequence, copies[1].Table.Sequence)
	}
	table, err := slots.Read(r)
	if err != nil {
		return nil // reported above
	}
	for _, s := range table.Slots {
		v.ids[s.ID] = true
		of := fmt.Sprintf("of slot %d (%s)", s.Index, s.ID)
		if err := errors.Join(v.image(r, "kernel "+of, s.Kernel), v.image(r, "initrd "+of, s.Initrd)); err != nil {
			return err
		}
		v.efiImage("slot-kernel", "kernel "+of, io.NewSectionReader(r, s.Kernel.OffsetBytes, s.Kernel.LengthBytes))
	}
	return nil
}

// image compares an image in a slot with its digest.
func (v *verifier) image(r *io.SectionReader, what string, m slots.Image) error {
	if m.OffsetBytes+m.LengthBytes > r.Size() {
		v.report("slot-image", "the %s reaches behind the end of its partition", what)
		return nil
	}
	sum, err := v.digest(io.NewSectionReader(r, m.OffsetBytes, m.LengthBytes))
	if err == nil && m.LengthBytes > 0 && sum != golden.Digest(m.SHA256) {
		v.report("slot-image", "the %s has SHA-256 %x, the slot table says %x", what, sum, m.SHA256)
	}
	return err
}

// digest reads all of r.
func (v *verifier) digest(r io.Reader) (sum golden.Digest, err error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		if err := v.ctx.Err(); err != nil {
			return sum, err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		switch {
		case err == io.EOF:
			return golden.Digest(h.Sum(nil)), nil
		case err != nil:
			return sum, err
		}
	}
}

// esp checks the volume and what is on it.
func (v *verifier) esp() error {
	p, ok := firstOfType(v.table, gpt.TypeESP)
	if !ok {
		v.report("esp-none", "there is no EFI System Partition")
		return nil
	}
	r := section(v.r, p)
	defects, err := fat32.Check(r, r.Size())
	for _, d := range defects {
		if d.Harmless() {
			v.warn(d.Code, "%s; a repair or the next rayimg upgrade mends that", d.Text)
		} else {
			v.report(d.Code, "%s", d.Text)
		}
	}
	switch {
	case errors.Is(err, fat32.ErrNotFAT32) || errors.Is(err, fat32.ErrCorrupt):
		v.report("fat-unusable", "%v", err)
		return nil
	case err != nil:
		return err
	}
	volume, err := fat32.Open(r, r.Size())
	if err != nil {
		return err
	}
	v.place(p, volume.Info())
	return v.tree(volume)
}

// place compares what the boot sector says about the disk with the disk.
func (v *verifier) place(p gpt.Partition, info fat32.Info) {
	if want := p.StartBytes / int64(v.table.SectorSize); int64(info.HiddenSectors) != want {
		v.report("fat-hidden", "the boot sector says that the volume begins at sector %d, it does at %d", info.HiddenSectors, want)
	}
	if info.SectorSize != int64(v.table.SectorSize) {
		v.report("fat-sector-size", "the volume has sectors of %d bytes, the disk of %d; firmware will not read it", info.SectorSize, v.table.SectorSize)
	}
}
