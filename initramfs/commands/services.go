package commands

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/initramfs/service"
)

func newServices(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "services",
		Long:              "Services shows what process 1 keeps running, and how it ended last.",
		Example:           "  services\n  services --json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return showServices(e, asJSON) },
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

func showServices(e *env, asJSON bool) error {
	text, err := e.services()
	if err != nil {
		return err
	}
	states := []service.State{}
	if err := json.Unmarshal(text, &states); err != nil {
		return fmt.Errorf("answer of process 1: %w", err)
	}
	if asJSON {
		return indented(e.stdout, states)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tSTATE\tSTARTS\tSINCE\tLAST END")
	for _, s := range states {
		state := "waits"
		if s.Running {
			state = "runs"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d s\t%.30s\n", s.Name, state, s.Starts, int(s.Since.Seconds()), orDash(s.LastEnd))
	}
	return w.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
