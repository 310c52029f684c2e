// Package debguest makes a small Debian for a guest, by mmdebstrap: its base system,
// systemd and a kernel, without a network and without recommended packages. It comes
// from the mirror that this machine's own apt sources name, checked by Debian's signatures.
package debguest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rayos/rayboot/tools/mkimage/apt"
)

// packages of the guest beside the base system. The kernel of clouds has no graphics.
const packages = "systemd-sysv,udev,kmod,initramfs-tools,linux-image-amd64"

// without are files of packages that are left out: documents, and drivers of hardware that
// no guest has.
var without = []string{
	"/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*",
	"/lib/modules/*/kernel/drivers/net/ethernet/*", "/lib/modules/*/kernel/drivers/net/wireless/*",
	"/lib/modules/*/kernel/drivers/media/*", "/lib/modules/*/kernel/drivers/infiniband/*",
	"/lib/modules/*/kernel/drivers/gpu/drm/amd/*", "/lib/modules/*/kernel/sound/*",
}

// beforeKernel has the initrd hold what the guest is started with and no more, so that it is
// loaded fast.
const beforeKernel = `set -e
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
echo MODULES=list >"$1/etc/initramfs-tools/conf.d/rayos"
printf '%s\n' virtio_pci virtio_blk virtio_gpu virtio_input ext4 >"$1/usr/share/initramfs-tools/modules.d/rayos"`

// afterwards gives the guest its name and its consoles, on which root is logged in: whoever
// sees them has the machine. The password of root stays locked.
const afterwards = `set -e
echo guest >"$1/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 guest\n' >"$1/etc/hosts"
echo '/dev/vda / ext4 defaults,errors=remount-ro 0 1' >"$1/etc/fstab"
for unit in getty@tty1 serial-getty@ttyS0; do
	mkdir -p "$1/etc/systemd/system/$unit.service.d"
	printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200,57600,38400,9600 - $TERM\n' \
		>"$1/etc/systemd/system/$unit.service.d/autologin.conf"
done
rm -f "$1/vmlinuz.old" "$1/initrd.img.old"`

// withoutRoot tells users who are not root what may be missing.
const withoutRoot = "Run it as root, or install fakeroot and either fakechroot, or uidmap with a range for you in /etc/subuid and /etc/subgid."

// ErrNoTool says that a program is missing on this machine.
var ErrNoTool = errors.New("it is not on this machine")

// Root is a folder with a Debian.
type Root struct {
	Dir string
	// FakeRoot is a file with the owners of the files, for fakeroot(1); empty where they are
	// the real ones.
	FakeRoot string
}

// Make makes a Debian in a folder below dir, which must be empty. Root needs no further
// program; others need fakeroot, and what mmdebstrap needs to do without root.
func Make(ctx context.Context, dir string) (r Root, err error) {
	r = Root{Dir: filepath.Join(dir, "debian")}
	if os.Getuid() != 0 {
		r.FakeRoot = filepath.Join(dir, "fakeroot")
	}
	sources, err := apt.Sources(ctx)
	if err != nil {
		return r, fmt.Errorf("make a Debian: %w", err)
	}
	sources = slices.DeleteFunc(sources, func(line string) bool { return strings.Contains(line, apt.Backports) })
	list, archive := filepath.Join(dir, "sources.list"), filepath.Join(dir, "debian.tar")
	if err := os.WriteFile(list, []byte(strings.Join(sources, "\n")+"\n"), 0o644); err != nil {
		return r, err
	}
	if err := os.Mkdir(r.Dir, 0o755); err != nil {
		return r, err
	}
	if err := run(ctx, "mmdebstrap", arguments(archive, list)...); err != nil {
		if r.FakeRoot != "" {
			err = fmt.Errorf("%w\n%s", err, withoutRoot)
		}
		return r, fmt.Errorf("make a Debian: %w", err)
	}
	unpack := []string{"tar", "-C", r.Dir, "--exclude=./dev/*", "-xpf", archive} // the kernel makes devices
	if r.FakeRoot != "" {
		unpack = append([]string{"fakeroot", "-s", r.FakeRoot}, unpack...)
	}
	if err := run(ctx, unpack[0], unpack[1:]...); err != nil {
		return r, fmt.Errorf("unpack the Debian: %w", err)
	}
	return r, os.Remove(archive)
}

func arguments(archive, list string) []string {
	args := []string{
		"--quiet", "--mode=" + map[bool]string{true: "root", false: "auto"}[os.Getuid() == 0], "--architectures=amd64", "--variant=minbase",
		"--include=" + packages, `--aptopt=APT::Install-Recommends "false"`,
	}
	for _, w := range without {
		args = append(args, "--dpkgopt=path-exclude="+w)
	}
	// licences stay
	args = append(args, "--dpkgopt=path-include=/usr/share/doc/*/copyright", "--essential-hook="+beforeKernel, "--customize-hook="+afterwards)
	return append(args, apt.Codename, archive, list)
}

// run runs a program of the Debian package of the same name.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // which has mmdebstrap clean up
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s: %w; install the package %s", name, ErrNoTool, name)
	case err != nil:
		return fmt.Errorf("%s: %w; check the network and try again\n%s", name, err, apt.LastLines(output.String()))
	}
	return nil
}
