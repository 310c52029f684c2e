package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// installFlags are the options of rayimg install.
type installFlags struct {
	to, verify string
	yes        string
	consent    plan.Consent
	layout     string
	sectorSize int
	dryRun     bool
	json       bool
	content    contentFlags
}

const installLong = `Install writes RayOS to a stick or a disk, with the same content as rayimg build.
It shows the disk with what lies on it, and what will be there afterwards, and
begins when you have typed the disk's serial number. Without a terminal, name that
with --yes.

Never written are the disk that this system runs from, disks that are in use or
mounted, and read-only ones. A disk that is a part of this machine needs
--internal, one that holds anything --erase. --keep-guests installs RayOS anew and
keeps all other partitions. If the power goes, the disk has its old partition table
or the new one with all that belongs to it. docs/install.md has more.

DISK may be a file, too, which stands in for a disk; its name is its serial number.`

const installExample = `  rayimg disks
  rayimg install --to /dev/sdb
  rayimg install --to /dev/sdb --dry-run
  rayimg install --to /dev/sdb --erase --yes 4C530001230101117382
  rayimg install --verify /dev/sdb
  truncate -s 80G disk.img && rayimg install --to disk.img --yes disk.img`

func newInstallCmd() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:     "install (--to DISK | --verify DISK)",
		Short:   "Install RayOS onto a stick or a disk",
		Long:    installLong,
		Example: installExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usage(err)
			}
			if f.verify != "" {
				return verifyDisk(cmd, f.verify, f.json)
			}
			return f.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "the disk to install onto")
	flags.StringVar(&f.verify, "verify", "", "check a disk as rayimg verify does, and write nothing")
	flags.StringVar(&f.yes, "yes", "", "confirm the disk by its serial number, or its name if it has none, instead of at the terminal")
	flags.BoolVar(&f.consent.Erase, "erase", false, "what lies on the disk may go")
	flags.BoolVar(&f.consent.Internal, "internal", false, "the disk may be a part of this machine")
	flags.BoolVar(&f.consent.Unknown, "unknown-transport", false, "it need not be known what the disk hangs on")
	flags.BoolVar(&f.consent.KeepGuests, "keep-guests", false, "install RayOS anew and keep all other partitions")
	flags.StringVar(&f.layout, "layout", "", "partitions to make instead of the standard ones, a TOML file")
	flags.IntVar(&f.sectorSize, "sector-size", 512, "logical sector size of a file that stands in for a disk: 512 or 4096")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show all that would be written, and write nothing")
	flags.BoolVar(&f.json, "json", false, "print what was done as JSON")
	f.content.register(flags)
	return cmd
}

// check finds flags that contradict each other.
func (f *installFlags) check() error {
	switch {
	case (f.to == "") == (f.verify == ""):
		return errors.New("name a disk with --to or with --verify")
	case f.consent.KeepGuests && f.consent.Erase:
		return errors.New("--keep-guests keeps what --erase allows to go; choose one of them")
	case f.sectorSize != 512 && f.sectorSize != 4096:
		return fmt.Errorf("sectors have 512 or 4096 bytes, not %d", f.sectorSize)
	}
	return f.content.check()
}

// installation is what is going to be done.
type installation struct {
	machine  *disks.Machine
	plan     plan.Plan
	prepared *image.Prepared
	job      write.Job
}

func (f *installFlags) run(cmd *cobra.Command) error {
	ui := newUI(cmd)
	defer ui.end()
	in, err := f.prepare(cmd, ui)
	if err != nil {
		return err
	}
	ui.end()
	if f.dryRun {
		return f.showSteps(cmd, in)
	}
	if !f.json {
		if err := disks.PrintPlan(cmd.OutOrStdout(), in.plan, useColour(cmd.OutOrStdout())); err != nil {
			return err
		}
	}
	if f.yes == "" {
		if err := confirm(cmd, "install", in.plan.Disk); err != nil {
			return err
		}
	}
	report, err := in.write(cmd.Context(), ui)
	ui.end()
	if err != nil {
		return err
	}
	if err := verifyWritten(cmd.Context(), in.plan.Disk); err != nil {
		return err
	}
	return f.report(cmd.OutOrStdout(), in, report)
}

// prepare does all that needs no confirmation, what is likely to be refused first.
func (f *installFlags) prepare(cmd *cobra.Command, ui *ui) (*installation, error) {
	in := &installation{machine: disks.Host()}
	wishes, err := readLayout(f.layout)
	if err != nil {
		return nil, err
	}
	disk, err := in.machine.Find(f.to, f.sectorSize)
	if err != nil {
		return nil, err
	}
	if in.plan, err = plan.New(disk, plan.Request{Layout: wishes, Consent: f.consent, NewID: write.NewID}); err != nil {
		return nil, err
	}
	if !f.dryRun {
		if err := canConfirm(cmd.InOrStdin(), disk, f.yes); err != nil {
			return nil, err
		}
	}
	spec := image.Spec{SizeBytes: disk.SizeBytes, SectorSize: disk.SectorSize, Partitions: in.plan.After}
	if err := f.content.fill(cmd.Context(), ui, &spec); err != nil {
		return nil, err
	}
	if in.prepared, err = image.Prepare(spec); err != nil {
		return nil, err
	}
	in.job = write.NewJob(in.plan, in.prepared.Contents())
	return in, nil
}

// write writes the disk, if it is still the one that was shown.
func (in *installation) write(ctx context.Context, ui *ui) (report write.Report, err error) {
	disk, err := write.Open(in.plan.Disk)
	if err != nil {
		return report, err
	}
	written := false
	defer func() {
		if closeErr := disk.Close(written); written && closeErr != nil {
			ui.note(closeErr.Error())
		} else {
			err = errors.Join(err, closeErr)
		}
	}()
	now, err := in.machine.Again(in.plan.Disk)
	if err != nil {
		return report, err
	}
	if err := in.plan.Check(now); err != nil {
		return report, err
	}
	report, err = write.Run(ctx, disk, in.job, ui.writing("install"))
	written = err == nil
	return report, err
}

// installReport is printed as JSON.
type installReport struct {
	Plan      plan.Plan     `json:"plan"`
	InstallID gpt.GUID      `json:"installID"`
	Steps     []write.Step  `json:"steps,omitempty"` // of --dry-run
	Written   *write.Report `json:"written,omitempty"`
}

func (f *installFlags) showSteps(cmd *cobra.Command, in *installation) error {
	steps, err := in.job.Steps(cmd.Context())
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if f.json {
		return printJSON(w, installReport{Plan: in.plan, InstallID: in.prepared.Report().InstallID, Steps: steps})
	}
	if err := disks.PrintPlan(w, in.plan, useColour(w)); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, "\nThis would be written, in this order:"); err != nil {
		return err
	}
	return printSteps(w, steps)
}

func printSteps(w io.Writer, steps []write.Step) error {
	for _, s := range steps {
		if _, err := fmt.Fprintln(w, sketch.OneLine(s.Name)); err != nil {
			return err
		}
		for _, e := range s.Extents {
			if _, err := fmt.Fprintf(w, "%16d to %16d  %10s\n", e.OffsetBytes, e.EndBytes()-1, sketch.Bytes(e.LengthBytes)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *installFlags) report(w io.Writer, in *installation, report write.Report) error {
	if f.json {
		return printJSON(w, installReport{Plan: in.plan, InstallID: in.prepared.Report().InstallID, Written: &report})
	}
	_, err := fmt.Fprintf(w, "%s: RayOS is installed; %s were written, read back and compared\ndisk ID %s\ninstall ID %s\n",
		in.plan.Disk.Name, sketch.Bytes(report.WrittenBytes), in.plan.DiskID, in.prepared.Report().InstallID)
	return err
}
