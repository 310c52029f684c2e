package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
	"github.com/rayos/rayboot/tools/mkimage/session"
)

// runFlags are the options of rayimg run.
type runFlags struct {
	serial, screen, interactive, snapshot bool

	kvm, bus  string
	ovmf      string
	memoryMiB int
	until     string
	timeout   time.Duration
}

const runLong = `Run boots a disk image in QEMU with the UEFI firmware OVMF, with the machine's
serial console on this terminal. The firmware's variables last until the
machine ends. What the guest writes goes into the image, unless --snapshot
keeps it out.

On a terminal your keys go to the guest. Ctrl-A X ends the machine, Ctrl-A
Ctrl-A sends Ctrl-A. Ctrl-C goes to the guest too, but ends the machine while
run waits with --until and without --interactive.

Exit status: 0 the guest powered off, you ended the machine, or the marker of
--until arrived; 1 the machine did not start, or QEMU ended with an error;
2 wrong usage; 4 the marker did not arrive in time or before the guest's end;
130 interrupted.`

const runExample = `  rayimg run disk.img
  rayimg run disk.img --screen --memory 2048
  rayimg run disk.img --snapshot --until SHELL_READY --timeout 2m`

// untilTimeout is how long --until waits by default: many times what a boot takes under software emulation.
const untilTimeout = 5 * time.Minute

func newRunCmd() *cobra.Command {
	f := runFlags{}
	cmd := &cobra.Command{
		Use:     "run DISK",
		Short:   "Boot a disk image in QEMU",
		Long:    runLong,
		Example: runExample,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.serial, "serial", false, "show the serial console here (the default without --screen)")
	flags.BoolVar(&f.screen, "screen", false, "show the machine's screen in a window")
	flags.BoolVarP(&f.interactive, "interactive", "i", false, "give all keys to the guest and go on after the marker of --until")
	flags.BoolVar(&f.snapshot, "snapshot", false, "keep the image as it is: what the guest writes is lost at the end")
	flags.StringVar(&f.kvm, "kvm", string(qemu.KVMAuto), "use the host's processor directly: auto, on or off")
	flags.StringVar(&f.bus, "bus", string(qemu.Virtio), "what the disk hangs on: virtio, nvme, ahci or usb")
	flags.IntVar(&f.memoryMiB, "memory", 1024, "memory of the machine in MiB")
	flags.StringVar(&f.ovmf, "ovmf", "", "folder with OVMF's files (default where distributions put them)")
	flags.StringVar(&f.until, "until", "", "end when this marker has arrived, for example SHELL_READY")
	flags.DurationVar(&f.timeout, "timeout", 0, "give up after this time (default 5m with --until, otherwise never)")
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command, path string) error {
	if err := f.check(); err != nil {
		return usage(err)
	}
	machine, err := f.machine(path)
	if err != nil {
		return err
	}
	if f.until != "" && f.timeout == 0 {
		f.timeout = untilTimeout
	}
	return session.Run(cmd.Context(), session.Options{
		Machine:     machine,
		Until:       f.until,
		Timeout:     f.timeout,
		Interactive: f.interactive || f.until == "",
		Quiet:       f.screen && !f.serial,
		In:          cmd.InOrStdin(),
		Out:         cmd.OutOrStdout(),
		Err:         cmd.ErrOrStderr(),
	})
}

func (f *runFlags) check() error {
	isMarker := func(d markers.Definition) bool { return d.Name == f.until || d.ID() == f.until }
	switch {
	case !slices.Contains([]string{"auto", "on", "off"}, f.kvm):
		return fmt.Errorf("--kvm %s: choose auto, on or off", f.kvm)
	case !slices.Contains(qemu.Buses(), qemu.Bus(f.bus)):
		return fmt.Errorf("--bus %s: choose one of %v", f.bus, qemu.Buses())
	case f.memoryMiB <= 0:
		return fmt.Errorf("--memory %d: must be a number of MiB", f.memoryMiB)
	case f.until != "" && !slices.ContainsFunc(markers.All(), isMarker):
		return fmt.Errorf("--until %s: there is no such marker; there are %s", f.until, markerNames())
	case f.screen && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errors.New("--screen: no desktop to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set); " +
			"the menu and the shell are on the serial console too: leave out --screen")
	}
	return nil
}

func markerNames() string {
	var names []string
	for _, d := range markers.All() {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// machine describes a machine that boots the image at path, with the sector size that its partition table has.
func (f *runFlags) machine(path string) (qemu.Machine, error) {
	sectorSize, err := sectorSizeOf(path)
	if err != nil {
		return qemu.Machine{}, err
	}
	var folders []string
	if f.ovmf != "" {
		folders = []string{f.ovmf}
	}
	firmware, err := qemu.FindFirmware(qemu.Plain, folders...)
	if err != nil {
		return qemu.Machine{}, err
	}
	return qemu.Machine{
		Firmware:  firmware,
		Disks:     []qemu.Disk{{Path: path, Bus: qemu.Bus(f.bus), LogicalSector: sectorSize, Snapshot: f.snapshot}},
		MemoryMiB: f.memoryMiB,
		KVM:       qemu.KVMMode(f.kvm),
		Window:    f.screen,
	}, nil
}

// sectorSizeOf looks for the partition table. A disk without one may still boot, as one file system: 512 then.
func sectorSizeOf(path string) (size int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open the disk image: %w; make one with: rayimg build %s", err, path)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("open the disk image: %w", err)
	}
	table, _, err := gpt.Read(f, info.Size())
	if errors.Is(err, gpt.ErrNoTable) {
		return 512, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the partition table of %s: %w", path, err)
	}
	return table.SectorSize, nil
}
