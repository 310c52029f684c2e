package debqemu

import (
	"debug/elf"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

// Where Debian puts things (amd64).
const (
	debianQEMU    = "usr/bin/qemu-system-x86_64"
	debianModules = "usr/lib/x86_64-linux-gnu/qemu"
)

var libraryDirs = []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"}

// modules of QEMU that guests use: the graphics devices.
var modules = []string{"hw-display-virtio-gpu.so", "hw-display-virtio-gpu-pci.so", "hw-display-virtio-vga.so"}

// firmware of the machines that guests are.
var firmware = []string{
	"usr/share/qemu/kvmvapic.bin", "usr/share/qemu/linuxboot.bin", "usr/share/qemu/linuxboot_dma.bin",
	"usr/share/qemu/multiboot.bin", "usr/share/qemu/multiboot_dma.bin", "usr/share/qemu/pvh.bin",
	"usr/share/seabios/bios-256k.bin", "usr/share/seabios/vgabios-stdvga.bin", "usr/share/seabios/vgabios-virtio.bin",
	"usr/share/seabios/vgabios-ramfb.bin", "usr/share/seabios/vgabios-bochs-display.bin",
	"usr/lib/ipxe/qemu/efi-virtio.rom", "usr/lib/ipxe/qemu/efi-e1000e.rom",
	"usr/share/OVMF/" + guest.FirmwareCode, "usr/share/OVMF/" + guest.FirmwareVars,
}

// loadedLater are libraries that no file names, as the C library opens them when
// they are needed: this one when a thread ends.
var loadedLater = []string{"libgcc_s.so.1"}

// mayNeed tells the files of packages that are looked at.
func mayNeed(name string) bool {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	return name == debianQEMU || slices.Contains(firmware, name) ||
		dir == debianModules && slices.Contains(modules, base) ||
		slices.Contains(libraryDirs, dir) && strings.Contains(base, ".so") ||
		strings.HasPrefix(name, "usr/share/doc/") && base == "copyright"
}

// assemble makes the tree out of what was unpacked, and removes the stage.
func (s *stage) assemble(tree string) error {
	if err := s.put(debianQEMU, tree, guest.QEMUPath); err != nil {
		return err
	}
	roots := []string{debianQEMU}
	for _, m := range modules {
		name := path.Join(debianModules, m)
		roots = append(roots, name)
		if err := s.put(name, tree, path.Join(guest.ModulesDir, m)); err != nil {
			return err
		}
	}
	for _, name := range firmware {
		if err := s.put(name, tree, path.Join(guest.FirmwareDir, path.Base(name))); err != nil {
			return err
		}
	}
	if err := s.putLibraries(tree, roots); err != nil {
		return err
	}
	for name := range s.files {
		if rest, ok := strings.CutPrefix(name, "usr/share/doc/"); ok {
			if err := s.put(name, tree, path.Join(guest.LicencesDir, rest)); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(s.dir)
}

// putLibraries puts the libraries into the tree that the roots need, and those
// that these need.
func (s *stage) putLibraries(tree string, roots []string) error {
	have := map[string]bool{}
	queue := slices.Clone(loadedLater)
	for _, name := range roots {
		needed, err := s.needed(name)
		if err != nil {
			return err
		}
		queue = append(queue, needed...)
	}
	for len(queue) > 0 {
		soname := queue[0]
		queue = queue[1:]
		if have[soname] {
			continue
		}
		have[soname] = true
		name, err := s.library(soname)
		if err != nil {
			return err
		}
		if err := s.put(name, tree, path.Join(guest.LibrariesDir, soname)); err != nil {
			return err
		}
		needed, err := s.needed(name)
		if err != nil {
			return err
		}
		queue = append(queue, needed...)
	}
	return nil
}

// needed are the libraries that a program or library names (ELF DT_NEEDED).
func (s *stage) needed(name string) ([]string, error) {
	f, err := elf.Open(s.files[s.resolve(name)])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return libraries, nil
}

// library finds a library by its name.
func (s *stage) library(soname string) (string, error) {
	for _, dir := range libraryDirs {
		if name := s.resolve(path.Join(dir, soname)); s.files[name] != "" {
			return name, nil
		}
	}
	return "", fmt.Errorf("no package has the library %s", soname)
}

// resolve follows symbolic links within the packages.
func (s *stage) resolve(name string) string {
	const most = 8
	for range most {
		target, ok := s.links[name]
		if !ok {
			break
		}
		if !path.IsAbs(target) {
			target = path.Join("/", path.Dir(name), target)
		}
		name = strings.TrimPrefix(path.Clean(target), "/")
	}
	return name
}

// put copies a file of a package to its place in the tree.
func (s *stage) put(name, tree, to string) error {
	from, ok := s.files[s.resolve(name)]
	if !ok {
		return fmt.Errorf("no package has %s", name)
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return treecache.WriteFile(filepath.Join(tree, filepath.FromSlash(to)), f, guest.Mode(to))
}
