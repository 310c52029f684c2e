package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/tools/mkimage/debkernel"
)

func newKernelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kernel",
		Short: "Get the Linux kernel that images boot",
	}
	cmd.AddCommand(newKernelFetchCmd())
	return cmd
}

const kernelFetchLong = `Fetch downloads the kernel package that images carry by default from Debian's
archive with apt-get, compares it with the digest that rayimg knows, unpacks it and
keeps it, so that later builds need no network. It needs no privileges. Build
does the same when the kernel is not there yet.`

func newKernelFetchCmd() *cobra.Command {
	var f partFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "fetch",
		Short:   "Download Debian's kernel into the cache",
		Long:    kernelFetchLong,
		Example: "  rayimg kernel fetch\n  rayimg kernel fetch --cache ./kernels --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ui := newUI(cmd)
			defer ui.end()
			kernel, err := f.findKernel(cmd.Context(), ui)
			ui.end()
			if err != nil {
				return err
			}
			return printKernel(cmd, kernel, asJSON)
		},
	}
	f.registerCache(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was fetched as JSON")
	return cmd
}

func printKernel(cmd *cobra.Command, k *debkernel.Kernel, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]string{
			"release": k.Release, "source": k.Source, "image": k.ImagePath, "modules": k.ModulesDir,
		})
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "kernel %s from %s\nimage   %s\nmodules %s\n",
		k.Release, k.Source, k.ImagePath, k.ModulesDir)
	return err
}
