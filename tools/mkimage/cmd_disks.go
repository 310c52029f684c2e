package main

import (
	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/installer/disks"
)

const disksLong = `Disks lists the disks of this machine: what they hang on, what lies on them, what
they are used for, and what speaks against installing RayOS onto them. At most 16
are listed; of more the names are told. It never writes to a disk, and needs the
rights to read them to say what they hold.`

func newDisksCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "disks",
		Short:   "List the disks of this machine",
		Long:    disksLong,
		Example: "  rayimg disks\n  rayimg disks --json | jq '.disks[] | select(.transport == \"usb\") | .path'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := disks.Host().List()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list)
			}
			return disks.Print(cmd.OutOrStdout(), list, true)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
