//go:build ovmf

package ovmftests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// archive is a cpio archive of files in folders, in the format newc (Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst).
func archive(files map[string]string) string {
	const folder, file = 0o040755, 0o100644
	var b strings.Builder
	pad := func() { b.WriteString("\x00\x00\x00"[:(4-b.Len()%4)%4]) }
	member := func(name string, mode int, content string) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
		pad()
		b.WriteString(content)
		pad()
	}
	for name, content := range files {
		for i, c := range name {
			if c == '/' {
				member(name[:i], folder, "")
			}
		}
		member(name, file, content)
	}
	member("TRAILER!!!", 0, "")
	return b.String()
}

// servicesDisk is a RayOS disk whose initramfs defines services.
func servicesDisk(t *testing.T, definitions map[string]string) qemu.Disk {
	t.Helper()
	files := map[string]string{}
	for name, text := range definitions {
		files["etc/rayos/services/"+name+".conf"] = text
	}
	whole, err := os.ReadFile(initrd(t))
	if err != nil {
		t.Fatal(err)
	}
	for len(whole)%4 != 0 {
		whole = append(whole, 0)
	}
	disk := qemu.Disk{Path: filepath.Join(t.TempDir(), "disk.img")}
	harness.Run(t, harness.Artifact(t, "rayimg"), "build", disk.Path, "--initrd", harness.WriteFile(t, string(whole)+archive(files)),
		"--cmdline", "console=ttyS0,115200 panic=10 quiet rayos.golden_after=86400", "--seed", "ovmf-tests")
	return disk
}

// TestServices has process 1 run programs: one talks into the log until it is stopped, one takes too much memory and fails,
// and one without which the machine is of no use fails the boot, which the boot manager counts.
func TestServices(t *testing.T) {
	t.Parallel()
	m := hardware{}.start(t, servicesDisk(t, map[string]string{
		"second": "program /bin/sh -c pwd\nafter first\n",
		"first":  "# it stays\nprogram /bin/sleep 100000\nrestart always\ndir /root\n",
	}), true)
	m.Expect(shellPrompt)
	for _, c := range []struct {
		command string
		wants   []harness.Expectation
	}{
		{"services; log show --source second", []harness.Expectation{
			harness.Pattern(`^first +runs +1 `), harness.Pattern(`^second +ended +1 `), harness.Pattern(`^shell:ttyS0 +runs +1 `), harness.Text("INFO: second: /"),
		}},
		{"services add talker --after shell:ttyS0 -- /bin/sh -c 'echo I talk; sleep 1000'", []harness.Expectation{
			harness.Pattern(`^talker +runs +1 +\d+ s +\d* `),
		}},
		{"sleep 1; log show --source talker", []harness.Expectation{harness.Pattern(`^\[\d+ms\] INFO: talker: I talk$`)}},
		{"services stop talk\t", []harness.Expectation{harness.Pattern(`^talker +stopped +1 `)}},
		{"services add hog --restart never --memory 32M -- /bin/sh -c 'x=0123456789; while :; do x=$x$x; done'", []harness.Expectation{
			harness.Text("service hog: killed by the kernel, as it used more than its 33554432 bytes of memory"),
			harness.Marker("[RAYOS_SERVICE:FAILED] service=hog, critical=no, starts=1"),
		}},
		{"recovery status", []harness.Expectation{harness.Pattern(`^0  service-failed  hog  service at SHELL_READY$`)}},
	} {
		m.Type(c.command + "\r")
		m.Expect(c.wants...)
		m.Expect(shellPrompt)
	}
	m.Type("services add vital --critical --restarts 1 -- /bin/sh -c 'exit 3'\r")
	m.Expect(
		harness.Text("service vital: exit status 3"),
		harness.Marker(`[RAYOS_SERVICE:FAILED] service=vital, critical=yes, starts=2, reason="exit status 3"`),
		harness.Text("the boot has failed, as service vital is critical"),
		harness.Text("the machine restarts now"),
		failed("rayos", 1, "SHELL_READY", "service"), shellPrompt,
	)
	m.Type("recovery status; log show --boot -1 --level warn\r")
	m.Expect(
		harness.Pattern(`^1  service-failed  vital  service at SHELL_READY$`),
		harness.Pattern(`WARN: init: \[RAYOS_SERVICE:FAILED\] service=vital`),
	)
	m.Type("poweroff\r")
	m.Never(harness.Pattern(`^\d+  entry-failed `)) // one event for one failure
	m.ExpectOff()
}
