package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

const inspectLong = `Inspect shows what a disk image or a disk holds: the partition table with a
drawing, the files and the boot entries of the EFI System Partition, the kernel
slots, both copies of the boot-state record and what it says, the golden
snapshots, and the guests. It never writes to the disk. Whether all is well is
the question of rayimg verify.`

func newInspectCmd() *cobra.Command {
	var svg string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Show what a disk image holds",
		Long:    inspectLong,
		Example: "  rayimg inspect disk.img\n  rayimg inspect disk.img --svg disk.svg\n  rayimg inspect disk.img --json | jq .table.partitions",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := inspectFile(args[0])
			if err != nil {
				return err
			}
			if svg != "" {
				if err := image.WriteFile(svg, inspect.SVG(r)); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			return inspect.Draw(cmd.OutOrStdout(), r, useColour(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringVar(&svg, "svg", "", "also draw the disk into this SVG file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func inspectFile(name string) (inspect.Report, error) {
	f, size, err := openDisk(name)
	if err != nil {
		return inspect.Report{}, err
	}
	defer f.Close()
	r, err := inspect.Read(f, size)
	if err != nil {
		return inspect.Report{}, fmt.Errorf("inspect %s: %w", name, err)
	}
	r.Path = name
	r.AllocatedBytes, err = image.AllocatedBytes(name)
	return r, err
}

// openDisk opens an image or a block device for reading.
func openDisk(name string) (f *os.File, sizeBytes int64, err error) {
	if f, err = os.Open(name); err != nil {
		return nil, 0, err
	}
	if sizeBytes, err = f.Seek(0, io.SeekEnd); err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("find the size of %s: %w; name a disk image or a block device", name, err)
	}
	if st, err := f.Stat(); err != nil || st.IsDir() {
		f.Close()
		return nil, 0, fmt.Errorf("%s is a folder; name a disk image or a block device", name)
	}
	return f, sizeBytes, nil
}

// useColour follows https://no-color.org.
func useColour(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }
