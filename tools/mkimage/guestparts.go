package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest/settings"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/tools/mkimage/debguest"
	"github.com/rayos/rayboot/tools/mkimage/debqemu"
	"github.com/rayos/rayboot/tools/mkimage/guestfs"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// Values of --linux-guest that are no folders.
const (
	tinyGuest   = "tiny"   // RayOS's own kernel and runtime
	debianGuest = "debian" // a small Debian
)

// guestFlags say what the partitions of guests are to hold.
type guestFlags struct {
	qemu   bool
	linux  string
	config string

	scratch string     // folder of file systems, until they were copied
	open    []*os.File // in it
}

func (f *guestFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.qemu, "guests", false, "put the QEMU that guests run under on the RayOS System partition, fetched once")
	flags.StringVar(&f.linux, "linux-guest", "", "put a Linux on the Linux Guest partition: tiny (this kernel and runtime), debian, or a folder with a root file system")
	flags.StringVar(&f.config, "guest-config", "", "settings of the guests, a TOML file (default one that explains them, with --guests)")
}

// check finds flags that contradict each other.
func (f *guestFlags) check(noDefaults bool) error {
	if f.linux == tinyGuest && noDefaults {
		return usage(errors.New("--linux-guest tiny has RayOS's kernel, which --no-default-entries leaves out; name a folder"))
	}
	return nil
}

// fill adds the file systems and the settings of guests to what a disk holds. What
// it has made lies in files until close is called.
func (f *guestFlags) fill(ctx context.Context, ui *ui, cache string, spec *image.Spec) error {
	if err := f.fillSettings(spec); err != nil {
		return err
	}
	if !f.qemu && f.linux == "" {
		return nil
	}
	var err error
	if f.scratch, err = os.MkdirTemp("", "rayimg-guests-"); err != nil {
		return fmt.Errorf("make a folder for file systems of guests: %w; name another place by TMPDIR", err)
	}
	if f.qemu {
		if err := f.fillQEMU(ctx, ui, cache, spec); err != nil {
			return err
		}
	}
	if f.linux != "" {
		return f.fillLinux(ctx, ui, spec)
	}
	return nil
}

// fillSettings puts the settings of guests among the files of the ESP.
func (f *guestFlags) fillSettings(spec *image.Spec) error {
	text := []byte(settings.Text)
	theirs := slices.ContainsFunc(spec.Payload, func(p fat32.File) bool { return strings.EqualFold(p.Path, settings.Path) })
	switch {
	case f.config != "" && theirs:
		return usage(fmt.Errorf("the payload has the settings of guests, %s; leave them out there, or leave out --guest-config", settings.Path))
	case f.config != "":
		file, err := os.Open(f.config)
		if err != nil {
			return fmt.Errorf("read settings of guests: %w", err)
		}
		defer file.Close()
		if _, err := settings.Read(file); err != nil {
			return fmt.Errorf("%s: %w", f.config, err)
		}
		if text, err = os.ReadFile(f.config); err != nil {
			return fmt.Errorf("read settings of guests: %w", err)
		}
	case !f.qemu || theirs:
		return nil
	}
	spec.Payload = append(spec.Payload, fat32.Bytes(settings.Path, text))
	return nil
}

func (f *guestFlags) fillQEMU(ctx context.Context, ui *ui, cache string, spec *image.Spec) error {
	qemu, err := debqemu.Fetch(ctx, debqemu.Options{CacheDir: cache, Progress: ui.progress, Warn: ui.note})
	if err != nil {
		return err
	}
	ui.progress("pack QEMU", 0, 0)
	name := filepath.Join(f.scratch, "system")
	if err := guestfs.System(ctx, name, qemu.Tree, qemu.Version, spec.Modified); err != nil {
		return err
	}
	return f.add(spec, name, content.SystemArea)
}

func (f *guestFlags) fillLinux(ctx context.Context, ui *ui, spec *image.Spec) error {
	parts := spec.Partitions
	if parts == nil {
		parts = gpt.Layout()
	}
	i := slices.IndexFunc(parts, func(p gpt.Partition) bool { return p.Type == gpt.TypeLinuxData })
	if i < 0 || spec.ESPOnly {
		return fmt.Errorf("--linux-guest: the disk has no partition of the type %s", gpt.TypeName(gpt.TypeLinuxData))
	}
	ui.progress("make the Linux guest", 0, 0)
	name := filepath.Join(f.scratch, "linux")
	o := guestfs.Options{SizeBytes: parts[i].SizeBytes, ID: image.NewID(spec.Seed, "Linux guest"), Modified: spec.Modified}
	if err := f.makeLinux(ctx, ui, name, spec, o); err != nil {
		return err
	}
	return f.add(spec, name, content.LinuxArea)
}

// makeLinux makes the file system of the Linux guest.
func (f *guestFlags) makeLinux(ctx context.Context, ui *ui, name string, spec *image.Spec, o guestfs.Options) error {
	switch f.linux {
	case debianGuest:
		ui.progress("install Debian for the guest", 0, 0)
		debian, err := debguest.Make(ctx, f.scratch)
		if err != nil {
			return err
		}
		o.FakeRoot = debian.FakeRoot
		return guestfs.Ext4(ctx, name, debian.Dir, o)
	case tinyGuest:
	default:
		return guestfs.Ext4(ctx, name, f.linux, o)
	}
	dir := filepath.Join(f.scratch, tinyGuest)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make the tiny Linux guest: %w", err)
	}
	return guestfs.Tiny(ctx, name, dir, spec.System.Kernel, spec.System.Initrd, o)
}

// add has the content of a partition copied from a file.
func (f *guestFlags) add(spec *image.Spec, name string, area areaOf) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	f.open = append(f.open, file)
	info, err := file.Stat()
	if err != nil {
		return err
	}
	a, err := area(file, info.Size())
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	spec.Areas = append(spec.Areas, a)
	return nil
}

// areaOf is a function of package content that looks at a file system.
type areaOf func(source io.ReaderAt, sizeBytes int64) (content.Area, error)

// close removes what fill has made.
func (f *guestFlags) close() error {
	var err error
	for _, file := range f.open {
		err = errors.Join(err, file.Close())
	}
	if f.scratch != "" {
		err = errors.Join(err, os.RemoveAll(f.scratch))
	}
	return err
}
