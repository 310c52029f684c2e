package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rayos/rayboot/tools/mkimage/bundle"
	"github.com/rayos/rayboot/tools/mkimage/debkernel"
	"github.com/rayos/rayboot/tools/mkimage/image"
	"github.com/rayos/rayboot/tools/mkimage/initrd"
	"github.com/rayos/rayboot/tools/mkimage/kmod"
)

// noModules is the value of --modules that leaves all modules out.
const noModules = "none"

// partFlags say where the kernel and its initrd come from.
type partFlags struct {
	kernel, modules, runtime, initrd, cmdline, cache string
}

func (f *partFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kernel, "kernel", "", "Linux kernel to boot: an EFI image (vmlinuz) or a Debian package (default Debian's, fetched once)")
	flags.StringVar(&f.modules, "modules", "", "folder with the modules of --kernel, such as /lib/modules/6.1.0-50-amd64, or none")
	flags.StringVar(&f.runtime, "runtime", "", "runtime to use instead of the built-in one (rayimg runtime pack)")
	flags.StringVar(&f.initrd, "initrd", "", "complete initrd, instead of runtime and modules")
	flags.StringVar(&f.cmdline, "cmdline", initrd.DefaultOptions, "command line of the kernel")
	f.registerCache(flags)
}

func (f *partFlags) registerCache(flags *pflag.FlagSet) {
	flags.StringVar(&f.cache, "cache", "", "folder for fetched kernels (default rayimg in the user's cache folder)")
}

// check finds flags that contradict each other.
func (f *partFlags) check() error {
	switch {
	case f.initrd != "" && (f.runtime != "" || f.modules != ""):
		return usage(errors.New("--initrd is complete by itself; leave out --runtime and --modules"))
	case f.modules != "" && f.modules != noModules && f.kernel == "":
		return usage(errors.New("--modules belongs to a kernel; name that one with --kernel"))
	}
	return nil
}

// system gathers the kernel and its initrd.
func (f *partFlags) system(ctx context.Context, ui *ui) (*image.System, error) {
	kernel, err := f.findKernel(ctx, ui)
	if err != nil {
		return nil, err
	}
	s := &image.System{Release: kernel.Release, Options: f.cmdline, SafeOptions: initrd.SafeOptions(f.cmdline)}
	if s.Kernel, err = os.ReadFile(kernel.ImagePath); err != nil {
		return nil, fmt.Errorf("read kernel: %w", err)
	}
	if s.Initrd, err = f.packInitrd(kernel, ui); err != nil {
		return nil, err
	}
	return s, nil
}

func (f *partFlags) findKernel(ctx context.Context, ui *ui) (*debkernel.Kernel, error) {
	opts := debkernel.Options{
		CacheDir: f.cache,
		Modules:  initrd.DefaultModules(),
		Progress: func(step debkernel.Step, done, total int64) { ui.progress(string(step), done, total) },
		Warn:     ui.note,
	}
	if f.kernel == "" {
		return debkernel.Fetch(ctx, debkernel.Debian, opts)
	}
	modules := f.modules
	if modules == noModules {
		modules = ""
	}
	return debkernel.FromFile(ctx, f.kernel, modules, opts)
}

// packInitrd puts the runtime and the modules one behind the other.
func (f *partFlags) packInitrd(kernel *debkernel.Kernel, ui *ui) ([]byte, error) {
	if f.initrd != "" {
		b, err := os.ReadFile(f.initrd)
		if err != nil {
			return nil, fmt.Errorf("read initrd: %w", err)
		}
		return b, nil
	}
	b, err := readPart("runtime", f.runtime, bundle.Runtime)
	if err != nil || f.modules == noModules {
		return b, err
	}
	if kernel.ModulesDir == "" {
		ui.note("no modules: the runtime has only the drivers that are built into " + kernel.Source)
		return b, nil
	}
	ui.progress("pack modules", 0, 0)
	tree, err := kmod.Open(os.DirFS(kernel.ModulesDir))
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(bytes.Clone(b))
	out.Write(make([]byte, -len(b)&(initrd.Align-1)))
	order, err := initrd.PackModules(tree, kernel.Release, initrd.DefaultModules(), out)
	if err != nil {
		return nil, err
	}
	if len(order.Missing) > 0 {
		ui.note("the kernel has no module " + strings.Join(order.Missing, ", "))
	}
	return out.Bytes(), nil
}

// readPart reads a file that is named, or takes the built-in part.
func readPart(what, path string, builtIn func() ([]byte, error)) ([]byte, error) {
	if path == "" {
		b, err := builtIn()
		if err != nil {
			return nil, fmt.Errorf("find the %s: %w with --%s", what, err, strings.ReplaceAll(what, " ", "-"))
		}
		return b, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return b, nil
}
