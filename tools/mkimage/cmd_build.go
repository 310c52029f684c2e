package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// buildFlags are the options of rayimg build.
type buildFlags struct {
	size       byteSize
	sectorSize int
	seed       string
	espOnly    bool
	layout     string
	force      bool
	json       bool
	content    contentFlags
}

const buildLong = `Build makes a disk image with the five RayOS partitions: the EFI System
Partition with the boot manager, a kernel and its initrd; the RayOS Kernel
partition with the same kernel in slot 0; and three more partitions, for
guests. Its menu has RayOS (from the ESP), RayOS from the kernel slot, and
RayOS in safe mode.

The partitions for guests are left empty, unless --guests puts the QEMU that
they run under on the RayOS System partition, and --linux-guest a Linux on the
Linux Guest partition: "tiny" is this very kernel with the runtime, which comes
up to a shell; "debian" a small Debian, installed by mmdebstrap; or name a
folder with a root file system that has /vmlinuz and /initrd.img.
docs/guests.md has more.

With --layout the partitions are those of a TOML file; docs/install.md
describes it. Such a disk may be smaller.

The image is sparse: it takes only the space of its content. It is written
beside its name and renamed when it is complete. With --seed, equal inputs give
equal bytes; file times are then those of SOURCE_DATE_EPOCH, or 1980.

With --golden-key the boot manager accepts only golden snapshots that are
signed with this Ed25519 key. RayOS as it is installed becomes the first one,
signed if the key is a private one. The machine itself cannot sign: sign its
later ones with rayimg recovery sign. docs/golden-key.md has more.`

const buildExample = `  rayimg build disk.img
  rayimg build disk.img --size 100GiB --sector-size 4096
  rayimg build disk.img --kernel ./vmlinuz --modules none --seed release-1
  rayimg build disk.img --guests --linux-guest tiny
  rayimg build disk.img --payload ./esp-files --entry ./debian.conf
  openssl genpkey -algorithm ed25519 -out golden.pem && rayimg build disk.img --golden-key golden.pem`

func newBuildCmd() *cobra.Command {
	f := buildFlags{size: gpt.MinDiskBytes, sectorSize: 512}
	cmd := &cobra.Command{
		Use:     "build FILE",
		Short:   "Make a bootable disk image",
		Long:    buildLong,
		Example: buildExample,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.Var(&f.size, "size", "size of the disk, for example 80GB or 100GiB")
	flags.IntVar(&f.sectorSize, "sector-size", f.sectorSize, "logical sector size in bytes: 512 or 4096")
	flags.StringVar(&f.seed, "seed", "", "derive all identifiers from this text instead of making random ones")
	flags.BoolVar(&f.espOnly, "esp-only", false, "make only an EFI System Partition that fills the disk")
	flags.StringVar(&f.layout, "layout", "", "partitions to make instead of the standard ones, a TOML file")
	flags.BoolVar(&f.force, "force", false, "replace FILE if it exists")
	flags.BoolVar(&f.json, "json", false, "print what was made as JSON")
	f.content.register(flags)
	return cmd
}

func (f *buildFlags) run(cmd *cobra.Command, path string) (err error) {
	if err := f.content.check(); err != nil {
		return err
	}
	if f.layout != "" && f.espOnly {
		return usage(errors.New("--esp-only is a layout of its own; leave out --layout"))
	}
	ui := newUI(cmd)
	defer ui.end()
	out := image.Output{Path: path, Force: f.force, Progress: func(step string, done int64) { ui.progress(step, done, 0) }}
	if err := out.Check(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.content.guests.close()) }()
	spec, err := f.spec(cmd.Context(), ui)
	if err != nil {
		return err
	}
	report, err := image.Build(cmd.Context(), spec, out)
	ui.end()
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printReport(cmd.OutOrStdout(), report)
}

// spec gathers the parts of the image.
func (f *buildFlags) spec(ctx context.Context, ui *ui) (image.Spec, error) {
	spec := image.Spec{SizeBytes: int64(f.size), SectorSize: f.sectorSize, Seed: f.seed, ESPOnly: f.espOnly}
	wishes, err := readLayout(f.layout)
	if err != nil {
		return spec, err
	}
	if wishes != nil {
		if spec.Partitions, err = wishes.Place(gpt.Geometry{DiskBytes: spec.SizeBytes, SectorSize: spec.SectorSize}, gpt.AlignBytes); err != nil {
			return spec, fmt.Errorf("%s: %w", f.layout, err)
		}
	}
	return spec, f.content.fill(ctx, ui, &spec)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func printReport(w io.Writer, r image.Report) error {
	for _, path := range r.Replaced {
		if _, err := fmt.Fprintf(w, "%s is the one of the payload\n", path); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "%s: %s disk, %d-byte sectors, %.1f MiB on the host, disk ID %s\n",
		r.Path, byteSize(r.SizeBytes), r.SectorSize, float64(r.AllocatedBytes)/(1<<20), r.DiskID); err != nil {
		return err
	}
	return printGolden(w, r)
}

// printGolden says what the boot manager asks of golden snapshots.
func printGolden(w io.Writer, r image.Report) error {
	if r.Golden == nil {
		return nil
	}
	text := "it has none yet"
	switch g := r.Golden; {
	case g.Signed:
		text = fmt.Sprintf("snapshot %.16s is signed", g.Snapshot)
	case g.Snapshot != "":
		text = fmt.Sprintf("snapshot %.16s is not: sign it with rayimg recovery sign %s --key KEY.pem", g.Snapshot, r.Path)
	}
	_, err := fmt.Fprintf(w, "%s: golden snapshots must be signed with the key %.16s...; %s\n", r.Path, r.Golden.Key, text)
	return err
}
