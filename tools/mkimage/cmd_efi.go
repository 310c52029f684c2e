package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/tools/mkimage/efibuild"
)

// maxEFIFile is the most that inspect reads, in bytes: a unified kernel image
// with a large initrd stays far below.
const maxEFIFile = 1 << 30

func newEFICmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "efi",
		Short: "Make EFI applications from Go commands, and look into them",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newEFIBuildCmd(), newEFIInspectCmd())
	return cmd
}

const efiBuildLong = `Build compiles one Go command into an EFI application with the Go toolchain that
is installed, and writes it as a whole or not at all. The command must import
github.com/rayos/rayboot/efi/goefi, in any of its packages; the build tag uefi
is set. The result has an .sbat section and can be signed with sbsign.`

const efiBuildExample = `  rayimg efi build ./efi/examples/hello
  rayimg efi build ./cmd/tool -o tool.efi --ldflags "-X main.version=1.2"`

func newEFIBuildCmd() *cobra.Command {
	var opts efibuild.Options
	var sbat string
	cmd := &cobra.Command{
		Use:     "build PACKAGE",
		Short:   "Build a Go command into an EFI application",
		Long:    efiBuildLong,
		Example: efiBuildExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Package = args[0]
			opts.Stderr = cmd.ErrOrStderr()
			if sbat != "" {
				b, err := os.ReadFile(sbat)
				if err != nil {
					return fmt.Errorf("read SBAT: %w", err)
				}
				opts.SBAT = b
			}
			name, err := efibuild.Build(cmd.Context(), opts)
			if err != nil {
				return err
			}
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", name, info.Size())
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opts.Output, "output", "o", "", "file to write (default: the command's name with .efi)")
	f.StringSliceVar(&opts.Tags, "tags", nil, "build tags besides uefi")
	f.StringVar(&opts.LDFlags, "ldflags", "", "further flags for the Go linker")
	f.StringVar(&opts.GoTool, "go", "go", "Go tool to use")
	f.StringVar(&sbat, "sbat", "", "file with the SBAT metadata (default: RayOS's)")
	return cmd
}

func newEFIInspectCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show the sections of an EFI application or driver, kernel or UKI",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := inspectEFI(args[0])
			if err != nil {
				return fmt.Errorf("inspect %s: %w", args[0], err)
			}
			if !asJSON {
				return report.print(cmd.OutOrStdout())
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(report)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func inspectEFI(name string) (*efiReport, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxEFIFile {
		return nil, fmt.Errorf("not a file of at most %d MiB", maxEFIFile>>20)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	img, err := pecoff.Parse(b)
	if err != nil {
		return nil, err
	}
	return newEFIReport(name, int64(len(b)), img), nil
}
