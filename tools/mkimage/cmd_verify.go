package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/inspect"
)

const verifyLong = `Verify checks a disk image or a disk: both copies of the partition table with
their checksums, overlaps and bounds; the FAT32 file system of the EFI System
Partition; the files that the boot entries name and the digests that they pin;
the digests of RayOS's own files; both copies of the slot table and the digests
of its images; both copies of the boot-state record; the golden snapshots, their
digests and signatures; the log and its newest record; the QEMU of guests by its
digest, and whether a Linux guest can be started. It never writes to the disk.

Each problem is one line: a code that stays the same from release to release,
and a sentence. A warning is about what does no harm or mends itself, such as a
record that the power was cut at. Exit status: 0 there are no problems, perhaps warnings; 1 the
check could not be made; 2 wrong usage; 3 there are problems.`

func newVerifyCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "verify FILE",
		Short:   "Check a disk image for damage",
		Long:    verifyLong,
		Example: "  rayimg verify disk.img\n  rayimg verify /dev/sdb --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return verifyDisk(cmd, args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// verifyDisk checks a disk and prints what it finds.
func verifyDisk(cmd *cobra.Command, name string, asJSON bool) error {
	f, size, err := openDisk(name)
	if err != nil {
		return err
	}
	defer f.Close()
	findings, err := inspect.Verify(cmd.Context(), f, size)
	if err != nil {
		return fmt.Errorf("verify %s: %w", name, err)
	}
	if err := printFindings(cmd.OutOrStdout(), name, findings, asJSON); err != nil {
		return err
	}
	if inspect.Problem(findings) != nil {
		return errFindings
	}
	return nil
}

func printFindings(w io.Writer, path string, findings []inspect.Finding, asJSON bool) error {
	if !asJSON {
		return inspect.Print(w, path, findings)
	}
	return printJSON(w, struct {
		Path     string            `json:"path"`
		Findings []inspect.Finding `json:"findings"`
	}{path, append([]inspect.Finding{}, findings...)})
}
