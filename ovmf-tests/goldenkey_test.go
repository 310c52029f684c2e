//go:build ovmf

package ovmftests

import (
	"io/fs"
	"path"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// keyedDisk is a RayOS disk without kernel slots whose boot manager has a key for golden snapshots.
type keyedDisk struct {
	image   string
	private string // file of the key
	golden  golden.Snapshot
}

// newKeyedDisk has the snapshot that rayimg build makes: signed if the build knows the private key.
func newKeyedDisk(t *testing.T, signed bool) keyedDisk {
	t.Helper()
	dir := t.TempDir()
	d := keyedDisk{image: filepath.Join(dir, "disk.img"), private: filepath.Join(dir, "key.pem")}
	public := filepath.Join(dir, "public.pem")
	harness.Run(t, "openssl", "genpkey", "-algorithm", "ed25519", "-out", d.private)
	harness.Run(t, "openssl", "pkey", "-in", d.private, "-pubout", "-out", public)
	key := public
	if signed {
		key = d.private
	}
	harness.Run(t, harness.Artifact(t, "rayimg"), "build", d.image, "--esp-only", "--size", "256MiB", "--cmdline", commandLine, "--golden-key", key)
	d.golden = onlyGolden(t, d.disk())
	return d
}

// onlyGolden is the golden snapshot of a disk that has one.
func onlyGolden(t *testing.T, disk qemu.Disk) (s golden.Snapshot) {
	t.Helper()
	withESP(t, disk, func(volume fs.FS) {
		all, problems := golden.List(volume)
		if len(all) != 1 || problems != nil {
			t.Fatalf("snapshots %+v, %v", all, problems)
		}
		s = all[0]
	})
	return s
}

// flipSignature flips a bit of the snapshot's signature. The manifest is whole otherwise, with its checksum.
func (d keyedDisk) flipSignature(t *testing.T) {
	t.Helper()
	s := d.golden
	s.Signature[40] ^= 4
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := espdisk.Put(t.Context(), d.image, path.Join(golden.Dir, s.Name()), harness.WriteFile(t, string(manifest[:]))); err != nil {
		t.Fatal(err)
	}
}

// disk is the disk as each machine finds it.
func (d keyedDisk) disk() qemu.Disk { return qemu.Disk{Path: d.image, Snapshot: true} }

func (d keyedDisk) boot(t *testing.T) *harness.Machine {
	t.Helper()
	return startOnce(t, d.disk())
}

// startOnce starts a machine that may not reset: a crash must not hide behind a second boot.
func startOnce(t *testing.T, disk qemu.Disk) *harness.Machine {
	t.Helper()
	return harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
}

// What the boot manager says of the snapshot.
func (d keyedDisk) refused(why error) harness.Expectation {
	return harness.Marker("[RAYOS_BOOTMGR:GOLDEN_REFUSED] snapshot=" + bootmenu.ShortID(d.golden.ID()) + `, reason="` + why.Error() + `"`)
}

func (d keyedDisk) started() harness.Expectation {
	return harness.Marker("[RAYOS_BOOTMGR:RECOVERY_FALLBACK] snapshot=" + bootmenu.ShortID(d.golden.ID()) + ", attempt=1, limit=3, reason=no-entry")
}

// brokenEntries are what is told before any golden snapshot is tried.
var brokenEntries = []harness.Expectation{
	harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED] entry=rayos, stage=verify"),
	harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED] entry=rayos-safe, stage=verify"),
	harness.Marker("[RAYOS_BOOT_MARKER:RECOVERY_TRIGGERED] reason=no-entry"),
}

// TestGoldenKeySigned starts the signed snapshot of rayimg build when no entry can be started.
func TestGoldenKeySigned(t *testing.T) {
	t.Parallel()
	d := newKeyedDisk(t, true)
	damageKernel(t, d.disk())
	m := d.boot(t)
	m.Expect(brokenEntries...)
	m.Expect(d.started(), harness.Text("it is golden snapshot "+bootmenu.ShortID(d.golden.ID())+" itself"))
	m.Never(harness.Marker("[RAYOS_BOOTMGR:GOLDEN_REFUSED]"))
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS]"))
}

// TestGoldenKeyFlipped refuses a snapshot of whose signature one bit is another, and stops: there is nothing else.
func TestGoldenKeyFlipped(t *testing.T) {
	t.Parallel()
	d := newKeyedDisk(t, true)
	damageKernel(t, d.disk())
	d.flipSignature(t)
	m := d.boot(t)
	m.Expect(brokenEntries...)
	m.Expect(d.refused(golden.ErrSignature), harness.Marker("[RAYOS_BOOTMGR:STOPPED]"))
	m.Finish(menuWaits)
	m.Never(d.started())
}

// TestGoldenKeyUnsigned refuses a snapshot that nobody has signed, until an operator does.
func TestGoldenKeyUnsigned(t *testing.T) {
	t.Parallel()
	d := newKeyedDisk(t, false)
	damageKernel(t, d.disk())
	m := d.boot(t)
	m.Expect(brokenEntries...)
	m.Expect(d.refused(golden.ErrUnsigned), harness.Marker("[RAYOS_BOOTMGR:STOPPED]"))
	m.Finish(menuWaits)
	m.Never(d.started())
	harness.Run(t, harness.Artifact(t, "rayimg"), "recovery", "sign", d.image, "--key", d.private)
	m = d.boot(t)
	m.Expect(brokenEntries...)
	m.Expect(d.started())
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY]"))
}

// TestGoldenKeyHealthy boots an entry: the runtime knows that nothing that it could take would be used, and a person at
// its shell sees the signature.
func TestGoldenKeyHealthy(t *testing.T) {
	t.Parallel()
	d := newKeyedDisk(t, true)
	m := d.boot(t)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos"),
		harness.Text("no golden snapshot is taken of this boot: the boot manager accepts only signed ones"),
		harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos"),
	)
	m.Type("recovery verify\r")
	m.Finish(harness.Text(bootmenu.ShortID(d.golden.ID()) + ": is as it was made"))
}
