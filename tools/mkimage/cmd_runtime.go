package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/tools/mkimage/image"
	"github.com/rayos/rayboot/tools/mkimage/initrd"
)

func newRuntimeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runtime",
		Short: "Pack the runtime that images boot into",
	}
	cmd.AddCommand(newRuntimePackCmd())
	return cmd
}

func newRuntimePackCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "pack INIT",
		Short:   "Pack a static executable as the runtime's initrd",
		Long:    "Pack makes the part of the initrd that holds the runtime: the static Linux\nexecutable INIT as /init. An existing output file is replaced. Equal input gives\nequal bytes.",
		Example: "  rayimg runtime pack ./init -o runtime.cpio.zst\n  rayimg build disk.img --runtime runtime.cpio.zst",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b bytes.Buffer
			if err := initrd.PackRuntime(args[0], &b); err != nil {
				return err
			}
			if err := image.WriteFile(out, b.Bytes()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", out, b.Len())
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "runtime.cpio.zst", "file to write")
	return cmd
}
