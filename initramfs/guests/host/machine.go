package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/settings"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/installer/signature"
)

// Folders below the machine's root.
const (
	systemDir = "run/rayos/system" // the RayOS System partition is mounted here
	workDir   = "run/rayos/guests" // a folder for each guest
	espDir    = "esp"
)

// machine is the machine that guests run on.
type machine struct {
	root  string
	mount func(source, target, kind string, flags uintptr, data string) error
}

func newMachine(root string) *machine { return &machine{root: root, mount: unix.Mount} }

func (m *machine) path(name ...string) string {
	return filepath.Join(append([]string{m.root}, name...)...)
}

// folder is where the files of a guest are, while the machine is on.
func (m *machine) folder(name guest.Name) string { return m.path(workDir, string(name)) }

// settings reads what the guests are to be like. With an error they are the default ones.
func (m *machine) settings() (settings.Settings, error) {
	f, err := os.Open(m.path(espDir, settings.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return settings.Default(), nil
	}
	if err != nil {
		return settings.Default(), err
	}
	defer f.Close()
	s, err := settings.Read(f)
	if err != nil {
		return settings.Default(), err
	}
	return s, nil
}

// missing says why a guest cannot be started, as far as a short look tells.
func (m *machine) missing(name guest.Name) error {
	if _, err := guests.System(m.root); err != nil {
		return err
	}
	p, err := guests.FindPartition(m.root, partitions[name])
	if err != nil {
		return err
	}
	found, err := look(p)
	if err != nil {
		return err
	}
	switch {
	case name == guest.Linux && found.FileSystem == "":
		return errors.New("there is no Linux on partition 4: build the disk with rayimg build --guests --linux-guest, or install one")
	case name == guest.Windows && found.Table == "" && found.FileSystem == "":
		return errors.New("there is no Windows disk in partition 5: it has no partition table, boot record or file system")
	}
	return nil
}

var partitions = map[guest.Name]int{guest.Linux: gpt.NumberLinux, guest.Windows: gpt.NumberWindows}

// look looks at a partition as at a disk.
func look(p guests.Partition) (signature.Content, error) {
	f, err := os.Open(p.Device)
	if err != nil {
		return signature.Content{}, err
	}
	defer f.Close()
	return signature.Read(f, p.SizeBytes, 512)
}

// prepare makes what a guest needs at its start.
func (m *machine) prepare(name guest.Name) (guest.Machine, error) {
	if err := m.missing(name); err != nil {
		return guest.Machine{}, err
	}
	tree, err := m.system()
	if err != nil {
		return guest.Machine{}, err
	}
	p, err := guests.FindPartition(m.root, partitions[name])
	if err != nil {
		return guest.Machine{}, err
	}
	if err := unused(p.Device); err != nil {
		return guest.Machine{}, err
	}
	folder := m.folder(name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return guest.Machine{}, err
	}
	to := guest.Machine{Tree: tree, Disk: p.Device, Monitor: filepath.Join(folder, "monitor.sock")}
	if name == guest.Windows {
		to.Vars = filepath.Join(folder, "variables.fd")
		return to, variables(tree.Path(guest.FirmwareDir, guest.FirmwareVars), to.Vars)
	}
	to.Display = filepath.Join(folder, displaySocket)
	to.Kernel, to.Initrd = filepath.Join(folder, kernelFile), filepath.Join(folder, initrdFile)
	return to, copyKernel(p, folder)
}

// system mounts the RayOS System partition.
func (m *machine) system() (guest.Tree, error) {
	p, err := guests.System(m.root)
	if err != nil {
		return "", err
	}
	target := m.path(systemDir)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return "", err
	}
	err = m.mount(p.Device, target, "squashfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "")
	if err != nil && !errors.Is(err, unix.EBUSY) { // busy: it is mounted already
		return "", fmt.Errorf("mount the RayOS System partition %s: %w", p.Device, err)
	}
	tree := guest.Tree(target)
	if _, err := os.Stat(tree.Path(guest.QEMUPath)); err != nil {
		return "", fmt.Errorf("the RayOS System partition: %w; %w", err, guests.ErrNoQEMU)
	}
	return tree, nil
}

// unused fails where a partition is mounted: two systems that write one file system destroy it.
func unused(device string) error {
	fd, err := unix.Open(device, unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("%s is mounted here: umount it before the guest is started", device)
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", device, err)
	}
	return unix.Close(fd)
}

// variables copies the firmware's variables, once while the machine is on.
func variables(template, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	text, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// Files of a Linux guest: their names on its partition, which may be links there, are those in its folder.
const (
	kernelFile    = "vmlinuz"
	initrdFile    = "initrd.img"
	displaySocket = "display.sock"
	maxBootFile   = 256 << 20 // bytes of each of the two
)

// copyKernel copies the kernel and the initrd out of the guest's file system. It is a stranger's, so it is read here and
// not mounted: what is wrong with it is nothing to the machine's kernel.
func copyKernel(p guests.Partition, folder string) error {
	disk, err := os.Open(p.Device)
	if err != nil {
		return err
	}
	defer disk.Close()
	tree, err := ext4.Open(disk, p.SizeBytes)
	if err != nil {
		return fmt.Errorf("look for the guest's kernel on %s: %w", p.Device, err)
	}
	for _, name := range []string{kernelFile, initrdFile} {
		if err := copyOut(tree, name, filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("read /%s of the guest on %s: %w", name, p.Device, err)
		}
	}
	return nil
}

func copyOut(tree *ext4.FS, name, to string) error {
	from, err := tree.Open(name)
	if err != nil {
		return err
	}
	if from.Size() == 0 || from.Size() > maxBootFile {
		return fmt.Errorf("it has %d bytes; 1 to %d are possible", from.Size(), maxBootFile)
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
