package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/guest/system"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
	"github.com/rayos/rayboot/installer/upgrade"
	"github.com/rayos/rayboot/installer/write"
)

// upgradeFlags are the options of rayimg upgrade.
type upgradeFlags struct {
	yes         string
	consent     plan.Consent
	bootManager string
	goldenKey   string
	dryRun      bool
	json        bool
	parts       partFlags
	newOptions  bool // --cmdline was given
}

const upgradeLong = `Upgrade puts a new boot manager, kernel and runtime beside those on a disk that
RayOS is installed on. The machine boots the new version from then on. What it
booted before stays as the entry rayos-old, as a golden snapshot and in the
kernel slot: if three boots of the new version are not good, the machine comes
back to it by itself. Versions older than that are dropped. Command lines,
settings and all other partitions stay as they are: the QEMU of guests, too, and
the guests.

If the power goes, the disk boots what it booted before or the new version.
Nothing is written if it does not fit. Where the boot manager of the disk uses
only signed golden snapshots, --golden-key signs the one that is kept; without
it, such a disk is upgraded only if what is kept has a signed snapshot already.

Never written are the disk that this system runs from, disks that are in use or
mounted, and read-only ones. A disk that is a part of this machine needs
--internal. DISK may be an image, too; its name is its serial number.
docs/install.md has more.`

const upgradeExample = `  rayimg upgrade /dev/sdb
  rayimg upgrade disk.img --yes disk.img
  rayimg upgrade disk.img --dry-run --kernel vmlinuz --modules /lib/modules/6.12.1
  rayimg upgrade /dev/sdb --golden-key golden.pem --yes 4C530001230101117382`

func newUpgradeCmd() *cobra.Command {
	f := upgradeFlags{consent: plan.Consent{Erase: true}}
	cmd := &cobra.Command{
		Use:     "upgrade DISK",
		Short:   "Put a new version beside the one on a disk",
		Long:    upgradeLong,
		Example: upgradeExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.parts.check(); err != nil {
				return err
			}
			f.newOptions = cmd.Flags().Changed("cmdline")
			return f.run(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.yes, "yes", "", "confirm the disk by its serial number, or its name if it has none, instead of at the terminal")
	flags.BoolVar(&f.consent.Internal, "internal", false, "the disk may be a part of this machine")
	flags.BoolVar(&f.consent.Unknown, "unknown-transport", false, "it need not be known what the disk hangs on")
	flags.StringVar(&f.bootManager, "boot-manager", "", "boot manager to use instead of the built-in one")
	flags.StringVar(&f.goldenKey, "golden-key", "", "sign the golden snapshot of what is kept with this Ed25519 key, a PEM file")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show all that would be written, and write nothing")
	flags.BoolVar(&f.json, "json", false, "print what was done as JSON")
	f.parts.register(flags)
	flags.Lookup("cmdline").DefValue, flags.Lookup("cmdline").Usage = "", "command line of the kernel (default the one that the disk has)"
	return cmd
}

func (f *upgradeFlags) run(cmd *cobra.Command, name string) error {
	ui := newUI(cmd)
	defer ui.end()
	u, err := f.prepare(cmd, ui, name)
	if err != nil {
		return err
	}
	ui.end()
	if f.dryRun {
		return f.show(cmd.OutOrStdout(), u, nil)
	}
	if u.try.Bytes() == 0 {
		return f.show(cmd.OutOrStdout(), u, nil)
	}
	if !f.json {
		if err := printUpgrade(cmd.OutOrStdout(), u); err != nil {
			return err
		}
	}
	if f.yes == "" {
		if err := confirm(cmd, "upgrade", u.disk); err != nil {
			return err
		}
	}
	report, err := u.write(cmd.Context(), ui)
	ui.end()
	if err != nil {
		return err
	}
	if err := session.VerifyWritten(cmd.Context(), u.machine, u.disk); err != nil {
		return err
	}
	return f.show(cmd.OutOrStdout(), u, &report)
}

// prepare does all that needs no confirmation, what is likely to be refused first.
func (f *upgradeFlags) prepare(cmd *cobra.Command, ui *ui, name string) (*upgrading, error) {
	u := &upgrading{machine: disks.Host(), consent: f.consent}
	if err := u.find(name); err != nil {
		return nil, err
	}
	if !f.dryRun {
		if err := canConfirm(cmd.InOrStdin(), u.disk, f.yes); err != nil {
			return nil, err
		}
	}
	if err := f.gather(cmd.Context(), ui, u); err != nil {
		return nil, err
	}
	file, size, err := openDisk(u.disk.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := u.rehearse(file, size); err != nil {
		return nil, fmt.Errorf("upgrade %s: %w; nothing was written", name, err)
	}
	return u, nil
}

// find looks at the disk, which must be one that may be written.
func (u *upgrading) find(name string) (err error) {
	const usual = 512 // of files; that of a disk is known
	if u.disk, err = u.machine.Find(name, usual); err != nil {
		return err
	}
	if err := u.disk.Refuse(u.consent, nil); err != nil {
		return err
	}
	file, size, err := openDisk(u.disk.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	if u.table, err = readTable(file, size); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	u.guests = guestsLeft(file, u.table)
	if u.table.SectorSize != u.disk.SectorSize {
		u.disk, err = u.machine.Find(name, u.table.SectorSize)
	}
	return err
}

// guestsLeft says what an upgrade leaves as it is.
func guestsLeft(r io.ReaderAt, table gpt.Table) string {
	p, ok := partitionOf(table, gpt.TypeRayOSSystem)
	if !ok {
		return "stay as they are"
	}
	a, err := system.Read(io.NewSectionReader(r, p.StartBytes, p.SizeBytes), p.SizeBytes)
	switch {
	case errors.Is(err, system.ErrNone):
		return "stay as they are, without a QEMU (rayimg install --guests)"
	case err != nil:
		return "stay as they are; their QEMU is damaged, see rayimg verify"
	}
	return "stay as they are, with QEMU " + sketch.OneLine(a.QEMU)
}

// readTable reads the partition table, which must be whole.
func readTable(r io.ReaderAt, size int64) (gpt.Table, error) {
	table, defects, err := gpt.Read(r, size)
	if err != nil {
		return table, err
	}
	if len(defects) > 0 {
		return table, fmt.Errorf("its partition table is damaged: %s; repair it first", defects[0].Text)
	}
	return table, nil
}

// write writes the disk, if it is still the one that was shown.
func (u *upgrading) write(ctx context.Context, ui *ui) (report write.Report, err error) {
	disk, err := write.Open(u.disk)
	if err != nil {
		return report, err
	}
	written := false
	defer func() { // the kernel forgets what it knows of the partitions
		if closeErr := disk.Close(written); written && closeErr != nil {
			ui.note(closeErr.Error())
		} else {
			err = errors.Join(err, closeErr)
		}
	}()
	now, err := u.machine.Again(u.disk)
	if err != nil {
		return report, err
	}
	change := now.Changed(u.disk)
	before := u.try.Fingerprint()
	u.try = nil // the second rehearsal needs the memory
	if change == "" {
		if err := u.rehearse(disk, u.disk.SizeBytes); err != nil || u.try.Fingerprint() != before {
			change = "its EFI System Partition is not what it was"
		}
	}
	if change != "" {
		return report, fmt.Errorf("%s: %w: %s; nothing was written, look at it again", u.disk.Name, plan.ErrChanged, change)
	}
	if err := now.Refuse(u.consent, nil); err != nil {
		return report, err
	}
	report, err = write.Replay(ctx, disk, u.try, ui.writing("upgrade"))
	written = err == nil
	return report, err
}

// upgradeReport is printed as JSON.
type upgradeReport struct {
	Disk    plan.Disk     `json:"disk"`
	Plan    upgrade.Plan  `json:"plan"`
	Guests  string        `json:"guests"`            // what becomes of them, for people
	Steps   []write.Step  `json:"steps,omitempty"`   // of --dry-run
	Written *write.Report `json:"written,omitempty"` // nil: nothing was
}

// show tells what was done, or would be.
func (f *upgradeFlags) show(w io.Writer, u *upgrading, report *write.Report) error {
	if f.json {
		r := upgradeReport{Disk: u.disk, Plan: u.plan, Guests: u.guests, Written: report}
		if f.dryRun {
			r.Steps = u.try.Steps()
		}
		return printJSON(w, r)
	}
	if report != nil {
		_, err := fmt.Fprintf(w, "%s: upgraded; %s were written, read back and compared\n", u.disk.Name, sketch.Bytes(report.WrittenBytes))
		return err
	}
	if err := printUpgrade(w, u); err != nil {
		return err
	}
	if u.try.Bytes() == 0 {
		_, err := fmt.Fprintf(w, "%s has this version; nothing is written.\n", u.disk.Name)
		return err
	}
	return session.PrintSteps(w, u.try.Steps())
}

// printUpgrade shows what the disk boots now and will boot.
func printUpgrade(w io.Writer, u *upgrading) error {
	p := u.plan
	lines := []string{
		fmt.Sprintf("%-8s %s, %s, %s", "Disk", sketch.OneLine(u.disk.Name), sketch.Bytes(u.disk.SizeBytes), sketch.OneLine(u.disk.Holds())),
		fmt.Sprintf("%-8s %s", "New", describe(p.New)),
	}
	if p.Kept != nil {
		lines = append(lines, fmt.Sprintf("%-8s %s\n%8s as the entry %s and golden snapshot %s", "Kept", describe(*p.Kept), "", upgrade.OldID, bootmenu.ShortID(p.Golden)))
	}
	lines = append(lines, fmt.Sprintf("%-8s %s", "Manager", map[bool]string{true: "is replaced; the old one stays beside it", false: "stays as it is"}[p.Manager]))
	lines = append(lines, fmt.Sprintf("%-8s %s", "Guests", u.guests))
	for _, note := range p.Notes {
		lines = append(lines, "Note: "+sketch.OneLine(note)+".")
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// describe names a version.
func describe(v upgrade.Version) string {
	text := fmt.Sprintf("%s, kernel %.8s", sketch.OneLine(v.Release), v.Kernel)
	if v.Initrd != (golden.Digest{}) {
		text += fmt.Sprintf(", runtime %.8s", v.Initrd)
	}
	return text
}
