package main

import (
	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/diskstate"
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
	onDisk.Add(cmd, control.Bootmgr())
	return cmd
}

func newRecoveryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "recovery",
		Short:   "Show a disk's golden snapshots and what happened",
		Long:    recoveryLong,
		Example: "  rayimg recovery status disk.img\n  rayimg recovery verify disk.img\n  rayimg recovery sign disk.img --key golden.pem",
	}
	onDisk.Add(cmd, control.Recovery())
	cmd.AddCommand(newSignCmd())
	return cmd
}

// onDisk runs the verbs on a disk which is not up.
var onDisk = cli.Side{Operand: "DISK", Open: func(_ *cobra.Command, name string, writes bool) (*control.Call, func() error, error) {
	disk, err := diskstate.Open(name, writes)
	if err != nil {
		return nil, nil, err
	}
	return &control.Call{Machine: disk}, disk.Close, nil
}}
