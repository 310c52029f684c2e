// Package guestfs makes the file systems of guests' partitions, by the tools that
// made them everywhere: mksquashfs and mke2fs. Neither needs privileges.
package guestfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/system"
)

// ErrNoTool says that a program is missing on this machine.
var ErrNoTool = errors.New("it is not on this machine")

// System makes a squashfs of the tree of QEMU, and puts its description behind
// it. Equal trees and times give equal bytes. The file must not exist.
func System(ctx context.Context, file string, tree guest.Tree, version string, modified time.Time) error {
	seconds := strconv.FormatInt(max(0, modified.Unix()), 10)
	// zstd is fast at level 3 and not much larger than at 15; Debian's kernel reads it.
	err := run(ctx, tool{name: "mksquashfs", pkg: "squashfs-tools"}, string(tree), file, "-noappend", "-all-root", "-no-xattrs", "-reproducible",
		"-mkfs-time", seconds, "-all-time", seconds, "-comp", "zstd", "-Xcompression-level", "3", "-no-progress", "-quiet")
	if err != nil {
		return fmt.Errorf("make the squashfs of QEMU: %w", err)
	}
	return describe(file, version)
}

// describe appends the description of a squashfs to its file.
func describe(file, version string) (err error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	length, err := system.SquashfsBytes(f)
	if err == nil { // mksquashfs pads it, too
		err = f.Truncate(length)
	}
	if err != nil {
		return fmt.Errorf("read the squashfs of QEMU: %w", err)
	}
	a, err := system.Describe(f, version)
	if err != nil {
		return fmt.Errorf("read the squashfs of QEMU: %w", err)
	}
	block, err := system.Encode(a)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(block, length)
	return err
}

// Options of [Ext4].
type Options struct {
	SizeBytes int64
	ID        gpt.GUID // of the file system; its other random numbers follow from it
	Modified  time.Time
	FakeRoot  string // file with the owners of a folder's files, for fakeroot(1); empty: the real ones
}

// Label is the name of the file system of a Linux guest.
const Label = "RAYOS-LINUX"

// Ext4 makes an ext4 with the content of a folder that holds a Linux system. The file
// is sparse; it must not exist. Owners and modes are those of the folder, but for its
// own owner, which is root; two calls differ in the times of access and of change that the
// host has for its files.
func Ext4(ctx context.Context, file, dir string, o Options) error {
	if err := checkFolder(dir); err != nil {
		return fmt.Errorf("make a Linux guest of %s: %w", dir, err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(o.SizeBytes); err != nil {
		return err
	}
	id := o.ID.String()
	// What is not written now need not be zero on the disk that this is copied to. A table that
	// could grow is of no use in a partition that does not.
	err = run(ctx, e2fsprogs("mke2fs", o), "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-O", "64bit,metadata_csum,^resize_inode", "-J", "size="+strconv.FormatInt(journalMiB(o.SizeBytes), 10),
		"-L", Label, "-U", id, "-E", "lazy_itable_init=1,nodiscard,root_owner=0:0,hash_seed="+id, "-d", dir, file, strconv.FormatInt(o.SizeBytes/4096, 10))
	if err != nil {
		return fmt.Errorf("make a Linux guest of %s: %w", dir, err)
	}
	made, err := ext4.Open(f, o.SizeBytes)
	if err != nil {
		return fmt.Errorf("read what mke2fs has made: %w", err)
	}
	return ext4.Bootable(made)
}

// journalMiB is large enough for what a small system writes at once.
func journalMiB(sizeBytes int64) int64 { return min(64, max(4, sizeBytes>>26)) }

// Tiny makes an ext4 with a kernel and its initrd, and nothing else. Equal contents,
// identifiers and times give equal bytes. The file must not exist; dir is an empty folder
// that is used.
func Tiny(ctx context.Context, file, dir string, kernel, initrd []byte, o Options) error {
	var script strings.Builder
	for name, content := range map[string][]byte{ext4.KernelPath: kernel, ext4.InitrdPath: initrd} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, content, 0o644), os.Chtimes(path, o.Modified, o.Modified)); err != nil {
			return fmt.Errorf("make the tiny Linux guest: %w", err)
		}
		for _, field := range []string{"ctime", "atime"} { // which the host sets, too
			fmt.Fprintf(&script, "set_inode_field /%s %s @%d\n", name, field, max(1, o.Modified.Unix()))
		}
	}
	if err := Ext4(ctx, file, dir, o); err != nil {
		return err
	}
	commands := filepath.Join(dir, "debugfs")
	if err := os.WriteFile(commands, []byte(script.String()), 0o600); err != nil {
		return fmt.Errorf("make the tiny Linux guest: %w", err)
	}
	if err := run(ctx, e2fsprogs("debugfs", o), "-w", "-f", commands, file); err != nil {
		return fmt.Errorf("make the tiny Linux guest: %w", err)
	}
	return nil
}

// checkFolder finds out early that a folder is none of a Linux system. Its links are those
// of another system: they are not followed here.
func checkFolder(dir string) error {
	if info, err := os.Stat(dir); err != nil {
		return err
	} else if !info.IsDir() {
		return errors.New("it is not a folder")
	}
	for _, name := range []string{ext4.KernelPath, ext4.InitrdPath} {
		if _, err := os.Lstat(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w; there is no %s", ext4.ErrNoKernel, name)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// fakeTime sets the clock that e2fsprogs goes by.
const fakeTime = "E2FSPROGS_FAKE_TIME="

// e2fsprogs are programs that go by the clock that they are told.
func e2fsprogs(name string, o Options) tool {
	return tool{name, "e2fsprogs", []string{fakeTime + strconv.FormatInt(max(1, o.Modified.Unix()), 10)}, o.FakeRoot}
}

// tool is a program, the Debian package that has it, what it needs in its environment, and
// the owners that it is to see.
type tool struct {
	name, pkg string
	env       []string
	fakeRoot  string
}

func run(ctx context.Context, t tool, args ...string) error {
	path, err := lookPath(t.name)
	if err != nil {
		return fmt.Errorf("%s: %w; install the package %s", t.name, ErrNoTool, t.pkg)
	}
	command := append([]string{path}, args...)
	if t.fakeRoot != "" {
		command = append([]string{"fakeroot", "-i", t.fakeRoot, "--"}, command...)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	// mksquashfs does not take both this variable and its options for times.
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "SOURCE_DATE_EPOCH=") }), "LC_ALL=C")
	cmd.Env = append(cmd.Env, t.env...)
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s: %w\n%s", t.name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// lookPath finds programs also where only root looks.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if err == nil {
			break
		}
		path, err = exec.LookPath(filepath.Join(dir, name))
	}
	return path, err
}
