package pid1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/initramfs/bootdisk"
	"github.com/rayos/rayboot/initramfs/bootfacts"
)

// espDir is where the ESP of the boot disk is mounted, read-only.
const espDir = "/esp"

const maxInstallIDBytes = 256

// espFlags mount an ESP so that nothing on it changes.
const espFlags = unix.MS_RDONLY | secure

// findDisk finds the boot disk, mounts its ESP and writes down what is known
// about the boot.
func (b *boot) findDisk() {
	found, err := b.lookForDisk()
	b.disk = found
	if err == nil {
		err = b.mount(mountPoint{"/dev/" + found.Partition, espDir, "vfat", espFlags, ""})
	}
	if err != nil {
		b.warn("%v", err)
	} else {
		b.say("boot disk: %s, its ESP %s is mounted read-only on %s", found.Disk, found.Partition, espDir)
	}
	b.openLog()
	b.importDumps()
	b.findAttempt()
	b.writeFacts("")
}

// writeFacts writes down what is known about the boot, for the commands.
func (b *boot) writeFacts(good string) {
	err := bootfacts.Facts{
		Entry: b.entry, ESPPartUUID: b.wanted.PartUUID, InstallID: b.wanted.InstallID,
		Disk: b.disk.Disk, ESP: b.disk.Partition, Kernel: b.disk.Kernel,
		NoSnapshot: b.notSnapshotted(), Good: good, LogVolatile: b.logVolatile,
	}.Write(b.root)
	if err != nil {
		b.warn("%v", err)
	}
}

func (b *boot) lookForDisk() (bootdisk.Candidate, error) {
	if b.wanted.PartUUID == "" {
		return bootdisk.Candidate{}, errors.New("boot disk: not looked for: the boot loader left no EFI variable LoaderDevicePartUUID")
	}
	finder := bootdisk.Finder{
		Block:     os.DirFS(filepath.Join(b.root, "sys/class/block")),
		Open:      func(disk string) (bootdisk.Device, error) { return os.Open(filepath.Join(b.root, "dev", disk)) },
		InstallID: b.readInstallID,
		Sleep:     sleep,
	}
	if b.wasAttempted() {
		finder.Attempted = b.isAttempted
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.args.DiskWait)
	defer cancel()
	return finder.Find(ctx, b.wanted)
}

// readInstallID reads the install ID from an ESP.
func (b *boot) readInstallID(partition string) (id string, err error) {
	const dir = "/run/rayos/look"
	if err := b.mount(mountPoint{"/dev/" + partition, dir, "vfat", espFlags, ""}); err != nil {
		return "", err
	}
	target := filepath.Join(b.root, dir)
	defer func() {
		if uerr := b.kernel.Unmount(target); uerr != nil {
			err = errors.Join(err, fmt.Errorf("unmount %s: %w", dir, uerr))
		}
	}()
	f, err := os.Open(filepath.Join(target, esp.InstallIDPath))
	if err != nil {
		return "", fmt.Errorf("read install ID: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxInstallIDBytes))
	if err != nil {
		return "", fmt.Errorf("read install ID: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// sleep waits for d or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
