// Package initrd packs what the kernel unpacks as its initial RAM file system:
// one segment with the runtime (our /init and the directories that it mounts
// on), one with the kernel modules and the order to load them in. A kernel
// takes the concatenation of such segments as one initrd, so the runtime is
// packed when rayimg is built and the modules when a kernel is chosen.
//
// Each segment is a cpio archive in newc format, compressed as one zstd frame:
// Linux Documentation/driver-api/early-userspace/buffer-format.rst. Equal
// input gives equal bytes.
package initrd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/rayos/rayboot/tools/mkimage/kmod"
)

// Align is the alignment in bytes of each segment inside an initrd.
const Align = 4

// windowBytes bounds what the kernel allocates to decompress a segment, so that
// a machine of 256 MB is not filled by it.
const windowBytes = 4 << 20

// PackRuntime writes the segment with initBinary, a static Linux executable, as
// /init. The commands of the runtime are links which init makes to itself.
func PackRuntime(initBinary string, w io.Writer) error {
	init, err := os.ReadFile(initBinary)
	if err != nil {
		return fmt.Errorf("pack runtime: %w", err)
	}
	records := []cpio.Record{file("init", init, 0o755)}
	for _, dir := range []string{"bin", "dev", "etc", "lib", "lib/modules", "proc", "root", "run", "sys", "tmp"} {
		records = append(records, cpio.Directory(dir, 0o755))
	}
	// The kernel opens /dev/console for init before anything is mounted.
	records = append(records, cpio.CharDev("dev/console", 0o600, 5, 1), cpio.CharDev("dev/null", 0o666, 1, 3))
	if err := writeSegment(w, records, zstd.SpeedBestCompression); err != nil {
		return fmt.Errorf("pack runtime: %w", err)
	}
	return nil
}

// PackModules writes the segment with the modules in groups, and all that they
// depend on, from tree, the modules of the kernel with that release. The
// returned order says what was packed, what is part of the kernel, and what is
// missing, which is no error here.
//
// The modules lie in /lib/modules/RELEASE beside the file [LoadList], which
// has one line "GROUP FILE" for each, in load order.
func PackModules(tree *kmod.Tree, release string, groups []kmod.Group, w io.Writer) (kmod.Order, error) {
	order, err := tree.Resolve(groups)
	if err != nil {
		return kmod.Order{}, fmt.Errorf("pack modules: %w", err)
	}
	dir := path.Join("lib/modules", release)
	var list bytes.Buffer
	records := []cpio.Record{cpio.Directory("lib", 0o755), cpio.Directory("lib/modules", 0o755), cpio.Directory(dir, 0o755)}
	for _, e := range order.Load {
		content, err := tree.Module(e.Name)
		if err != nil {
			return kmod.Order{}, fmt.Errorf("pack modules: %w", err)
		}
		name := e.Name + ".ko"
		fmt.Fprintf(&list, "%s %s\n", e.Group, name)
		records = append(records, file(path.Join(dir, name), content, 0o644))
	}
	records = append(records, file(path.Join(dir, LoadList), list.Bytes(), 0o644))
	if err := writeSegment(w, records, zstd.SpeedDefault); err != nil {
		return kmod.Order{}, fmt.Errorf("pack modules: %w", err)
	}
	return order, nil
}

func file(name string, content []byte, perm uint64) cpio.Record {
	return cpio.StaticRecord(content, cpio.Info{Name: name, Mode: cpio.S_IFREG | perm})
}

// LoadList is the name of the file that tells init the order of the modules.
const LoadList = "load.list"

// writeSegment writes the records as one compressed archive, padded to [Align].
func writeSegment(w io.Writer, records []cpio.Record, level zstd.EncoderLevel) error {
	cpio.MakeAllReproducible(records)
	out := &counter{w: w}
	encoder, err := zstd.NewWriter(out, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(windowBytes))
	if err != nil {
		return err
	}
	archive := cpio.Newc.Writer(encoder)
	if err := cpio.WriteRecords(archive, records); err != nil {
		return err
	}
	if err := cpio.WriteTrailer(archive); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	_, err = w.Write(make([]byte, -out.n&(Align-1)))
	return err
}

// counter counts the bytes written.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}
