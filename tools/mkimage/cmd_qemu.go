package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/tools/mkimage/debqemu"
)

const qemuLong = `Qemu prepares the QEMU that guests run under, and runs it with ARGS if there are
any. It is Debian's, of bookworm-backports, with the libraries and the firmware
that it needs and nothing else. It is fetched by apt-get once, in folders of
rayimg's own: nothing is installed, apt's settings stay as they are, and no
privileges are needed. Later calls need no network.`

func newQEMUCmd() *cobra.Command {
	var f partFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "qemu [-- ARGS...]",
		Short:   "Get the QEMU that guests run under, or run it",
		Long:    qemuLong,
		Example: "  rayimg qemu\n  rayimg qemu --json\n  rayimg qemu -- --version\n  rayimg qemu -- -device vhost-user-gpu-pci,help",
		RunE: func(cmd *cobra.Command, args []string) error {
			ui := newUI(cmd)
			defer ui.end()
			q, err := fetchQEMU(cmd, ui, f.cache)
			ui.end()
			switch {
			case err != nil:
				return err
			case len(args) > 0:
				return runQEMU(cmd, q, args)
			case asJSON:
				return printJSON(cmd.OutOrStdout(), map[string]any{
					"version": q.Version, "tree": string(q.Tree), "command": q.Tree.Command(), "environment": q.Tree.Env(), "packages": q.Origins,
				})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "QEMU %s\ntree %s\n", q.Version, q.Tree)
			return err
		},
	}
	f.registerCache(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what there is as JSON, with the command that starts it")
	return cmd
}

func fetchQEMU(cmd *cobra.Command, ui *ui, cache string) (*debqemu.QEMU, error) {
	return debqemu.Fetch(cmd.Context(), debqemu.Options{CacheDir: cache, Progress: ui.progress, Warn: ui.note})
}

// runQEMU gives QEMU the terminal until it ends.
func runQEMU(cmd *cobra.Command, q *debqemu.QEMU, args []string) error {
	argv := append(q.Tree.Command(), args...)
	c := exec.CommandContext(cmd.Context(), argv[0], argv[1:]...)
	c.Env = append(os.Environ(), q.Tree.Env()...)
	c.Stdin, c.Stdout, c.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err := c.Run(); err != nil {
		return fmt.Errorf("run QEMU: %w", err)
	}
	return nil
}
