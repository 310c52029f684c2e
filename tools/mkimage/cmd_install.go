package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// memoryLimit has the garbage collector run earlier, in bytes: an installation is to stay below
// 100 MB, also where it has packed file systems of guests before. It is no bound of what may be used.
const memoryLimit = 64 << 20

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
keeps all other partitions; --guests then renews the QEMU that they run under. If the power goes, the disk has its old partition table
or the new one with all that belongs to it. docs/install.md has more.

DISK may be a file, too, which stands in for a disk; its name is its serial number.`

const installExample = `  rayimg disks
  rayimg install --to /dev/sdb
  rayimg install --to /dev/sdb --dry-run
  rayimg install --to /dev/sdb --erase --yes 4C530001230101117382
  rayimg install --to /dev/sdb --installer --guests --linux-guest tiny
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
	case f.consent.KeepGuests && f.content.guests.linux != "":
		return errors.New("--keep-guests keeps the Linux guest that --linux-guest would replace; choose one of them")
	case f.sectorSize != 512 && f.sectorSize != 4096:
		return fmt.Errorf("sectors have 512 or 4096 bytes, not %d", f.sectorSize)
	}
	return f.content.check()
}

func (f *installFlags) run(cmd *cobra.Command) (err error) {
	debug.SetMemoryLimit(memoryLimit)
	ui := newUI(cmd)
	defer ui.end()
	defer func() { err = errors.Join(err, f.content.guests.close()) }()
	in, err := f.prepare(cmd, ui)
	if err != nil {
		return err
	}
	ui.end()
	if f.dryRun {
		return f.showSteps(cmd, in)
	}
	if !f.json {
		if err := disks.PrintPlan(cmd.OutOrStdout(), in.Plan, useColour(cmd.OutOrStdout())); err != nil {
			return err
		}
	}
	if f.yes == "" {
		if err := confirm(cmd, "install", in.Plan.Disk); err != nil {
			return err
		}
	}
	report, err := in.Write(cmd.Context(), ui.writing("install"), ui.note)
	ui.end()
	if err != nil {
		return err
	}
	if err := session.VerifyWritten(cmd.Context(), in.Machine, in.Plan.Disk); err != nil {
		return err
	}
	return f.report(cmd.OutOrStdout(), in, report)
}

// prepare does all that needs no confirmation, what is likely to be refused first.
func (f *installFlags) prepare(cmd *cobra.Command, ui *ui) (*session.Session, error) {
	in := &session.Session{Machine: disks.Host()}
	wishes, err := readLayout(f.layout)
	if err != nil {
		return nil, err
	}
	disk, err := in.Machine.Find(f.to, f.sectorSize)
	if err != nil {
		return nil, err
	}
	if in.Plan, err = plan.New(disk, plan.Request{Layout: wishes, Consent: f.consent, NewID: write.NewID}); err != nil {
		return nil, err
	}
	if !f.dryRun {
		if err := canConfirm(cmd.InOrStdin(), disk, f.yes); err != nil {
			return nil, err
		}
	}
	spec := image.Spec{SizeBytes: disk.SizeBytes, SectorSize: disk.SectorSize, Partitions: in.Plan.After}
	if err := f.content.fill(cmd.Context(), ui, &spec); err != nil {
		return nil, err
	}
	prepared, err := image.Prepare(spec)
	if err != nil {
		return nil, err
	}
	if f.consent.KeepGuests && !f.content.guests.qemu {
		ui.note("the RayOS System partition becomes empty: add --guests for guests to have a QEMU to run under")
	}
	in.InstallID = prepared.Report().InstallID
	in.Job = write.NewJob(in.Plan, prepared.Contents())
	return in, nil
}

func (f *installFlags) showSteps(cmd *cobra.Command, in *session.Session) error {
	steps, err := in.Job.Steps(cmd.Context())
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if f.json {
		report := in.Report()
		report.Steps = steps
		return printJSON(w, report)
	}
	if err := disks.PrintPlan(w, in.Plan, useColour(w)); err != nil {
		return err
	}
	return session.PrintSteps(w, steps)
}

func (f *installFlags) report(w io.Writer, in *session.Session, written write.Report) error {
	if f.json {
		report := in.Report()
		report.Written = &written
		return printJSON(w, report)
	}
	_, err := io.WriteString(w, in.Done(written))
	return err
}
