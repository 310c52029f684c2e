package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rayos/rayboot/efi/bootoption"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/icount"
	"github.com/rayos/rayboot/ovmf-tests/varstore"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

const diskMiB = 128

const commandLine = "console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 panic=10"

// loader is one way to the kernel.
type loader struct {
	name        string
	file        string // on the ESP, with backslashes
	commandLine string // of the boot option
	hostFile    string // what was copied there
}

type bench struct {
	folder   string // everything temporary
	disk     string
	firmware qemu.Firmware
	loaders  []loader
	counter  *icount.Counter // nil measures time
}

// prepare makes the disk and builds the plugin.
func prepare(ctx context.Context, dist string, stderr io.Writer) (_ *bench, err error) {
	firmware, err := qemu.FindFirmware(qemu.Plain)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "benchboot-")
	if err != nil {
		return nil, err
	}
	b := &bench{folder: folder, disk: filepath.Join(folder, "disk.img"), firmware: firmware}
	defer func() {
		if err != nil {
			err = b.close(err)
		}
	}()
	kernel, initrd, err := b.system(ctx, filepath.Join(dist, "rayimg"))
	if err != nil {
		return nil, err
	}
	b.loaders = []loader{
		{name: "direct EFI stub", file: `\vmlinuz`, commandLine: `initrd=\initrd.img ` + commandLine, hostFile: kernel},
		{name: "systemd-boot", file: `\EFI\systemd\systemd-bootx64.efi`, hostFile: systemdBoot},
		{name: "rayboot", file: `\EFI\rayos\rayboot.efi`, hostFile: filepath.Join(dist, "BOOTX64.EFI")},
	}
	if err := b.makeDisk(ctx, kernel, initrd); err != nil {
		return nil, err
	}
	if b.counter, err = icount.New(ctx, folder); err != nil {
		fmt.Fprintf(stderr, "benchboot: %v; measuring time instead, which depends on what else this machine does\n", err)
	}
	return b, nil
}

// close removes what is temporary.
func (b *bench) close(err error) error { return errors.Join(err, os.RemoveAll(b.folder)) }

// system takes the kernel and the initrd out of an image as users get it.
func (b *bench) system(ctx context.Context, rayimg string) (kernel, initrd string, err error) {
	image := filepath.Join(b.folder, "rayos.img")
	cmd := exec.CommandContext(ctx, rayimg, "build", image)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("%s: %w\n%s(has ./justw build been run?)", cmd, err, out)
	}
	kernel, initrd = filepath.Join(b.folder, "vmlinuz"), filepath.Join(b.folder, "initrd.img")
	return kernel, initrd, errors.Join(
		espdisk.Extract(ctx, image, "EFI/rayos/vmlinuz-*", kernel),
		espdisk.Extract(ctx, image, "EFI/rayos/initrd-*", initrd),
		os.Remove(image))
}

func (b *bench) makeDisk(ctx context.Context, kernel, initrd string) error {
	files := map[string]string{
		"EFI/rayos/rayboot.efi":           b.loaders[2].hostFile,
		"EFI/systemd/systemd-bootx64.efi": b.loaders[1].hostFile,
		"vmlinuz":                         kernel,
		"initrd.img":                      initrd,
		"loader/loader.conf":              filepath.Join(b.folder, "loader.conf"),
		"loader/entries/bench.conf":       filepath.Join(b.folder, "bench.conf"),
	}
	entry := "title Bench\nlinux /vmlinuz\ninitrd /initrd.img\noptions " + commandLine + "\n"
	return errors.Join(
		os.WriteFile(files["loader/loader.conf"], []byte("timeout 0\ndefault bench.conf\n"), 0o644),
		os.WriteFile(files["loader/entries/bench.conf"], []byte(entry), 0o644),
		espdisk.Make(ctx, b.disk, diskMiB, files))
}

// newVarStore writes a variable store whose only boot option is the loader.
func (b *bench) newVarStore(l loader) (path string, err error) {
	store, err := os.ReadFile(b.firmware.Vars)
	if err != nil {
		return "", err
	}
	option, err := varstore.BootOption(0, bootoption.Option{
		Active: true, Title: l.name, Path: l.file,
		Partition: bootoption.Partition{
			Number: 1, StartLBA: espdisk.StartLBA, SizeLBA: uint64(espdisk.SectorsLBA(diskMiB)), ID: gpt.MustParseGUID(espdisk.PartitionGUID),
		},
	}, l.commandLine)
	if err != nil {
		return "", err
	}
	if err := varstore.Append(store, option, varstore.BootOrder(0)); err != nil {
		return "", err
	}
	path = filepath.Join(b.folder, "vars.fd")
	return path, os.WriteFile(path, store, 0o600)
}
