package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/write"
)

// Report says what Build has made.
type Report struct {
	Path           string          `json:"path"`
	SizeBytes      int64           `json:"sizeBytes"`
	AllocatedBytes int64           `json:"allocatedBytes"` // on the host's file system
	SectorSize     int             `json:"sectorSize"`
	DiskID         gpt.GUID        `json:"diskID"`
	InstallID      gpt.GUID        `json:"installID"`
	Partitions     []gpt.Partition `json:"partitions"`
	ESP            fat32.Usage     `json:"esp"`
	Replaced       []string        `json:"replaced,omitempty"` // generated files for which the payload has its own
	Golden         *GoldenReport   `json:"golden,omitempty"`   // nil without a key for golden snapshots
}

// GoldenReport says what the boot manager asks of golden snapshots.
type GoldenReport struct {
	Key      string `json:"key"`                // public, hexadecimal
	Snapshot string `json:"snapshot,omitempty"` // ID of the one that was made
	Signed   bool   `json:"signed"`             // it is signed
}

// Output says where an image goes.
type Output struct {
	Path  string
	Force bool // replace an existing file
	// Progress, if set, is called as a step goes on with the bytes done so
	// far; the total is not known in advance.
	Progress func(step string, doneBytes int64)
}

// Check says whether an image can be made there, so that this need not wait until
// its parts have been gathered.
func (o Output) Check() error {
	if err := checkTarget(o.Path, o.Force); err != nil {
		return fmt.Errorf("create %s: %w", o.Path, err)
	}
	return nil
}

// Build makes the image. On any error, and when ctx is cancelled, nothing is
// left behind and an existing file is unchanged.
func Build(ctx context.Context, spec Spec, to Output) (report Report, err error) {
	b, err := plan(spec)
	if err != nil {
		return Report{}, err
	}
	out, err := createOutput(to.Path, to.Force)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, out.discard()) }()
	if err := b.write(ctx, out, to.Progress); err != nil {
		return Report{}, fmt.Errorf("write %s: %w", to.Path, explain(err))
	}
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("write %s: %w", to.Path, err)
	}
	if err := out.commit(); err != nil {
		return Report{}, err
	}
	b.report.Path = to.Path
	b.report.AllocatedBytes, err = AllocatedBytes(to.Path)
	return b.report, err
}

// Prepared is a checked specification, for whoever writes the disk himself.
type Prepared struct{ b *builder }

// Prepare checks all that can be checked before anything is written.
func Prepare(spec Spec) (*Prepared, error) {
	b, err := plan(spec)
	if err != nil {
		return nil, err
	}
	return &Prepared{b}, nil
}

// Report says what there will be; how full the ESP is only once it was written.
func (p *Prepared) Report() Report { return p.b.report }

// Contents are what the partitions are to hold.
func (p *Prepared) Contents() []write.Content { return p.b.disk.Contents() }

// builder carries a checked specification to its writing.
type builder struct {
	spec   Spec
	ids    identity
	disk   content.Disk
	report Report
}

// plan checks all that can be checked before a file is made.
func plan(spec Spec) (*builder, error) {
	ids := identity{seed: spec.Seed}
	parts, err := spec.layout(ids)
	if err != nil {
		return nil, err
	}
	if err := pecoff.CheckApplication(bytes.NewReader(spec.BootManager)); err != nil {
		return nil, fmt.Errorf("check boot manager: %w", err)
	}
	b := &builder{
		spec: spec, ids: ids,
		disk: content.Disk{SectorSize: spec.SectorSize, Partitions: parts, Serial: ids.serial("ESP"), Modified: spec.Modified, Areas: spec.Areas},
		report: Report{
			SizeBytes: spec.SizeBytes, SectorSize: spec.SectorSize,
			DiskID: ids.guid("disk"), InstallID: ids.guid("install"), Partitions: parts,
		},
	}
	if err := spec.checkAreas(parts); err != nil {
		return nil, err
	}
	store, err := b.planGolden()
	if err != nil {
		return nil, err
	}
	if b.disk.Files, b.report.Replaced, err = b.spec.espFiles(b.report.InstallID, store); err != nil {
		return nil, fmt.Errorf("plan the ESP: %w", err)
	}
	if spec.System == nil {
		return b, nil
	}
	if err := pecoff.CheckApplication(bytes.NewReader(spec.System.Kernel)); err != nil {
		return nil, fmt.Errorf("check kernel: %w", err)
	}
	if slices.ContainsFunc(parts, isKernel) {
		b.disk.Slots, err = spec.System.slots()
	}
	return b, err
}

func (b *builder) write(ctx context.Context, out *output, progress func(string, int64)) error {
	if err := out.Truncate(b.spec.SizeBytes); err != nil {
		return err
	}
	if err := writeTable(out.File, b.geometry(), b.report.DiskID, b.report.Partitions); err != nil {
		return err
	}
	for _, c := range b.disk.Contents() {
		p, _ := gpt.Table{Partitions: b.report.Partitions}.Find(c.Number)
		w := sparseWriter{ctx: ctx, w: out, written: counter(progress, c.Name)}
		if err := c.Write(io.NewOffsetWriter(w, p.StartBytes)); err != nil {
			return err
		}
	}
	b.report.ESP = b.disk.Usage()
	return nil
}

func isESP(p gpt.Partition) bool    { return p.Type == gpt.TypeESP }
func isKernel(p gpt.Partition) bool { return p.Type == gpt.TypeRayOSKernel }

func (b *builder) geometry() gpt.Geometry {
	return gpt.Geometry{DiskBytes: b.spec.SizeBytes, SectorSize: b.spec.SectorSize}
}

// counter adds up what was written in a step.
func counter(progress func(string, int64), step string) func(int) {
	var done int64
	return func(n int) {
		done += int64(n)
		if progress != nil {
			progress(step, done)
		}
	}
}

// AllocatedBytes is what a file occupies on its file system, which for a sparse
// file is less than its length.
func AllocatedBytes(path string) (int64, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return 0, fmt.Errorf("stat %s: %w", path, err)
	}
	return st.Blocks * 512, nil
}
