//go:build ovmf

package ovmftests

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// program returns a program of the folder programs, built for the runtime.
func program(t *testing.T, name string) string {
	t.Helper()
	return shared(t, name, func(path string) {
		harness.Run(t, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./programs/"+name)
	})
}

// bootWithProgram boots the runtime with one more program in /bin, from a disk with nothing else, until its shell is there
// and nothing more is to be told on the screen.
func bootWithProgram(t *testing.T, name, options string, machine qemu.Machine) *harness.Machine {
	t.Helper()
	binary, base := program(t, name), initrd(t) // before, as only one file is made at a time
	image := shared(t, "with-"+name+".img", func(path string) {
		archive := cpioFile("bin/"+name, contents(t, binary))
		if err := os.WriteFile(path, append(contents(t, base), archive...), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	entry := "title Test\nlinux /vmlinuz\ninitrd /initrd\noptions console=tty0 console=ttyS0,115200 panic=10 quiet rayos.golden_after=1 " + options + "\n"
	machine.Disks = []qemu.Disk{foreignDisk(t, "timeout 0\n", map[string]string{
		"vmlinuz": kernel(t), "initrd": image, "loader/entries/test.conf": harness.WriteFile(t, entry),
	})}
	m := harness.Start(t, harness.Spec{Machine: machine})
	m.Expect(harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN]"))
	return m
}

// cpioFile is an archive with one program, as the kernel unpacks it behind others (Linux
// Documentation/driver-api/early-userspace/buffer-format.rst).
func cpioFile(name string, content []byte) []byte {
	var b bytes.Buffer
	record := func(name string, mode int, content []byte) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
		b.Write(make([]byte, -b.Len()&3))
		b.Write(content)
		b.Write(make([]byte, -b.Len()&3))
	}
	record(name, 0o100755, content)
	record("TRAILER!!!", 0, nil)
	return b.Bytes()
}
