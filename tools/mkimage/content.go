package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/installer/layout"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/tools/mkimage/bundle"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// contentFlags say what a disk is to hold, be it an image or a real one.
type contentFlags struct {
	noDefaults  bool
	installer   bool
	bootManager string
	entries     []string
	payload     string
	goldenKey   string
	parts       partFlags
	guests      guestFlags
}

func (f *contentFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.noDefaults, "no-default-entries", false, "leave out RayOS's kernel and its entries; bring your own")
	flags.BoolVar(&f.installer, "installer", false, "add the entry Install RayOS, which installs from this disk onto another one")
	flags.StringArrayVar(&f.entries, "entry", nil, "add this Boot Loader Specification entry, a .conf file (repeatable)")
	flags.StringVar(&f.payload, "payload", "", "copy the content of this folder to the root of the ESP")
	flags.StringVar(&f.bootManager, "boot-manager", "", "boot manager to use instead of the built-in one")
	flags.StringVar(&f.goldenKey, "golden-key", "", "accept only golden snapshots signed with this Ed25519 key, a PEM file, and make the first one")
	f.parts.register(flags)
	f.guests.register(flags)
}

// check finds flags that contradict each other.
func (f *contentFlags) check() error {
	if f.installer && f.noDefaults {
		return usage(errors.New("--installer installs RayOS's kernel, which --no-default-entries leaves out; choose one of them"))
	}
	if err := f.guests.check(f.noDefaults); err != nil {
		return err
	}
	return f.parts.check()
}

// fill gathers the parts of the content. What it has made lies in files until the guests'
// are closed.
func (f *contentFlags) fill(ctx context.Context, ui *ui, spec *image.Spec) (err error) {
	if spec.Modified, err = timestamp(spec.Seed != "", os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		return err
	}
	spec.Installer = f.installer
	if f.goldenKey != "" {
		if spec.GoldenKey, err = readGoldenKey(f.goldenKey); err != nil {
			return err
		}
	}
	if spec.BootManager, err = readPart("boot manager", f.bootManager, bundle.BootManager); err != nil {
		return err
	}
	if !f.noDefaults {
		if spec.System, err = f.parts.system(ctx, ui); err != nil {
			return err
		}
	}
	for _, path := range f.entries {
		e, err := hostFile(path, filepath.Base(path))
		if err != nil {
			return fmt.Errorf("read entry: %w", err)
		}
		spec.Entries = append(spec.Entries, e)
	}
	if f.payload != "" {
		if spec.Payload, err = payload(f.payload); err != nil {
			return err
		}
	}
	return f.guests.fill(ctx, ui, f.parts.cache, spec)
}

// readLayout reads a layout file; without one it is the standard layout, nil.
func readLayout(path string) (plan.Layout, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	defer f.Close()
	l, err := layout.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// timestamp is the time of all files: SOURCE_DATE_EPOCH where it is set, else the
// first time that FAT knows for reproducible images, else now.
func timestamp(reproducible bool, epoch string) (time.Time, error) {
	switch {
	case epoch != "":
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
		}
		return time.Unix(seconds, 0).UTC(), nil
	case reproducible:
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	return time.Now(), nil
}

// hostFile is a file of the host that is to become path.
func hostFile(name, path string) (fat32.File, error) {
	st, err := os.Stat(name)
	if err != nil {
		return fat32.File{}, err
	}
	if !st.Mode().IsRegular() {
		return fat32.File{}, fmt.Errorf("%s is not a regular file", name)
	}
	return fat32.File{Path: path, Size: st.Size(), Open: func() (io.ReadCloser, error) { return os.Open(name) }}, nil
}
