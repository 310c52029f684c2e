package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/tools/mkimage/diskstate"
)

const bootmgrLong = `Bootmgr shows and changes what the boot manager of a disk remembers: which
entries have failed and are disabled, which one is next, whether the machine
recovers. The disk is an image or a block device; a machine must not be running
from it. On a machine that is up, the command bootmgr of its shell does the same.

Only the boot-state record is written, in place and in two copies: no cut of the
power can damage it. docs/recovery.md has the rules by which the boot manager
decides.`

const recoveryLong = `Recovery shows what happened on a disk and which golden snapshots it keeps. Only
sign writes. Snapshots are taken, restored and dropped on the machine that is up,
by the command recovery of its shell.`

func newBootmgrCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bootmgr",
		Short: "Show and change what a disk's boot manager remembers",
		Long:  bootmgrLong,
		Example: "  rayimg bootmgr list disk.img\n  rayimg bootmgr status /dev/sdb --json\n" +
			"  rayimg bootmgr enable disk.img rayos\n  rayimg bootmgr recovery disk.img on",
	}
	addVerbs(cmd, control.Bootmgr())
	return cmd
}

func newRecoveryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "recovery",
		Short:   "Show a disk's golden snapshots and what happened",
		Long:    recoveryLong,
		Example: "  rayimg recovery status disk.img\n  rayimg recovery verify disk.img\n  rayimg recovery sign disk.img --key golden.pem",
	}
	addVerbs(cmd, control.Recovery())
	cmd.AddCommand(newSignCmd())
	return cmd
}

// addVerbs adds the verbs that work on a disk which is not up.
func addVerbs(cmd *cobra.Command, verbs []control.Command) {
	for _, verb := range verbs {
		if !verb.Alive {
			cmd.AddCommand(newVerbCmd(verb))
		}
	}
}

func newVerbCmd(verb control.Command) *cobra.Command {
	var asJSON bool
	use := verb.Name + " DISK"
	if verb.Args != "" {
		use += " " + verb.Args
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: upperFirst(verb.Short),
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			disk, err := diskstate.Open(args[0], verb.Writes)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, disk.Close()) }()
			err = verb.Do(&control.Call{Machine: disk, Args: args[1:], JSON: asJSON, Out: cmd.OutOrStdout()})
			if errors.Is(err, control.ErrUsage) {
				return usage(err)
			}
			return err
		},
	}
	if verb.Args == "ENTRY" {
		cmd.ValidArgsFunction = completeEntry
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func upperFirst(s string) string { return string(s[0]-'a'+'A') + s[1:] }

// completeEntry completes the entry IDs of the disk that was named before.
func completeEntry(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	disk, err := diskstate.Open(args[0], false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer disk.Close()
	ids, err := control.EntryIDs(disk)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
