package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/tools/mkimage/bundle"
	"github.com/rayos/rayboot/tools/mkimage/debkernel"
)

// versionReport is what rayimg version prints; its JSON names are part of the
// command's interface.
type versionReport struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Bundled  bool   `json:"bundled"` // it carries the boot manager and the runtime
	Kernel   string `json:"kernel"`  // of the images that it makes by default
}

func newVersionCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of rayimg and of what it carries",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := newVersionReport()
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			carries := "carries boot manager and runtime"
			if !r.Bundled {
				carries = "built without boot manager and runtime"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "rayimg %s (%s)\n%s; kernel by default: %s\n", r.Version, r.Go, carries, r.Kernel)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newVersionReport() versionReport {
	r := versionReport{Version: "(unknown)", Kernel: debkernel.Debian.Package + " " + debkernel.Debian.Version}
	if info, ok := debug.ReadBuildInfo(); ok {
		r.Version, r.Go = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				r.Revision = s.Value
			}
		}
	}
	_, err := bundle.BootManager()
	r.Bundled = err == nil
	return r
}
