package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rayos/rayboot/tools/mkimage/bundle"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// partFlags say where kernel, modules and runtime come from.
type partFlags struct {
	kernel, initrd, cmdline string
}

func (f *partFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kernel, "kernel", "", "Linux kernel to boot, an EFI image (vmlinuz)")
	flags.StringVar(&f.initrd, "initrd", "", "initrd to use")
	flags.StringVar(&f.cmdline, "cmdline", "console=tty0 console=ttyS0,115200 panic=10 quiet", "command line of the kernel")
}

// system reads the kernel and its initrd.
func (f *partFlags) system(_ *cobra.Command) (*image.System, error) {
	if f.kernel == "" || f.initrd == "" {
		return nil, usage(errors.New("name the files with --kernel and --initrd"))
	}
	kernel, err := os.ReadFile(f.kernel)
	if err != nil {
		return nil, fmt.Errorf("read kernel: %w", err)
	}
	initrd, err := os.ReadFile(f.initrd)
	if err != nil {
		return nil, fmt.Errorf("read initrd: %w", err)
	}
	return &image.System{
		Release: "custom", Kernel: kernel, Initrd: initrd,
		Options: f.cmdline, SafeOptions: f.cmdline + " rayos.safe nomodeset",
	}, nil
}

// bootManager reads the boot manager, or takes the built-in one.
func bootManager(path string) ([]byte, error) {
	if path == "" {
		b, err := bundle.BootManager()
		if err != nil {
			return nil, fmt.Errorf("find the boot manager: %w (--boot-manager)", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read boot manager: %w", err)
	}
	return b, nil
}
