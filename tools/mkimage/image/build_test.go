package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
)

func noise(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(b)
	return b
}

func testSpec() Spec {
	return Spec{
		SizeBytes: gpt.MinDiskBytes, SectorSize: 512, Seed: "test", Modified: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		BootManager: fakeefi.Application("manager", 1<<20),
		System: &System{
			Release: "6.1.0-test", Kernel: fakeefi.Application("kernel", 3<<20), Initrd: noise(1<<20 + 1),
			Options: "quiet", SafeOptions: "safe",
		},
	}
}

func build(t *testing.T, spec Spec) (string, Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	report, err := Build(t.Context(), spec, Output{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return path, report
}

// TestBuildContent reads back what was put in.
func TestBuildContent(t *testing.T) {
	for _, sector := range []int{512, 4096} {
		spec := testSpec()
		spec.SectorSize = sector
		path, report := build(t, spec)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		table, findings, err := gpt.Read(f, spec.SizeBytes)
		if err != nil || len(findings) > 0 || table.SectorSize != sector || table.DiskID != report.DiskID {
			t.Fatalf("table %+v, %v, %v", table, findings, err)
		}
		for i, p := range gpt.Layout() {
			p.ID = report.Partitions[i].ID
			if table.Partitions[i] != p || p.ID.IsZero() {
				t.Errorf("partition %+v, want %+v", table.Partitions[i], p)
			}
		}
		p := table.Partitions[0]
		volume, err := fat32.Open(io.NewSectionReader(f, p.StartBytes, p.SizeBytes), p.SizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string][]byte{
			esp.RemovablePathX64:         spec.BootManager,
			esp.ManagerPath:              spec.BootManager,
			esp.KernelPath("6.1.0-test"): spec.System.Kernel,
			esp.InitrdPath("6.1.0-test"): spec.System.Initrd,
			esp.InstallIDPath:            []byte(report.InstallID.String() + "\n"),
		} {
			if got, err := fs.ReadFile(volume, name); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, want %d (%v)", name, len(got), len(want), err)
			}
		}
		if got := volume.Info().HiddenSectors; int64(got)*int64(sector) != p.StartBytes {
			t.Errorf("hidden sectors %d", got)
		}
		checkSlot(t, io.NewSectionReader(f, table.Partitions[1].StartBytes, table.Partitions[1].SizeBytes), spec.System)
	}
}

// TestInstaller has an entry that makes the runtime an installer, and is the default.
func TestInstaller(t *testing.T) {
	spec := testSpec()
	spec.Installer = true
	path, report := build(t, spec)
	volume := espOf(t, path, report)
	entries, problems := esp.Discover(volume, esp.X64)
	i := slices.IndexFunc(entries, func(e esp.Entry) bool { return e.ID == "rayos-install" })
	if i < 0 || len(problems) > 0 || len(entries) != 3 {
		t.Fatalf("entries %+v, %v", entries, problems)
	}
	if e := entries[i]; e.Role() != esp.RoleInstaller || e.Options != "quiet rayos.install" || e.Title != "Install RayOS" || !e.BlessedByRuntime() {
		t.Errorf("%+v", e)
	}
	conf, err := fs.ReadFile(volume, esp.LoaderConfPath)
	if err != nil || !bytes.Contains(conf, []byte("default rayos-install\n")) {
		t.Errorf("loader.conf %q, %v", conf, err)
	}
}

// TestLargeDisk has more sectors than a protective MBR can tell.
func TestLargeDisk(t *testing.T) {
	spec := testSpec()
	spec.SizeBytes, spec.Partitions = 3<<40, []gpt.Partition{{Number: 1, Name: "E", Type: gpt.TypeESP, StartBytes: gpt.MiB, SizeBytes: 400 * gpt.MiB}}
	path, _ := build(t, spec)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if table, findings, err := gpt.Read(f, spec.SizeBytes); err != nil || findings != nil || len(table.Partitions) != 1 {
		t.Errorf("%+v, %v, %v", table, findings, err)
	}
}

func checkSlot(t *testing.T, r io.ReaderAt, s *System) {
	t.Helper()
	table, err := slots.Read(r)
	if err != nil || len(table.Slots) != 1 {
		t.Fatalf("slot table %+v, %v", table, err)
	}
	slot := table.Slots[0]
	if slot.ID != "rayos-slot" || slot.Options != s.Options {
		t.Errorf("slot %+v", slot)
	}
	for _, image := range []struct {
		slots.Image
		want []byte
	}{{slot.Kernel, s.Kernel}, {slot.Initrd, s.Initrd}} {
		got := make([]byte, image.LengthBytes)
		if _, err := r.ReadAt(got, image.OffsetBytes); err != nil || !bytes.Equal(got, image.want) {
			t.Errorf("image at %d: %d bytes, want %d (%v)", image.OffsetBytes, len(got), len(image.want), err)
		}
	}
}

// TestBuildIsSparse holds the image to 1.3 times what it carries.
func TestBuildIsSparse(t *testing.T) {
	spec := testSpec()
	_, report := build(t, spec)
	payload := int64(2 * (len(spec.BootManager) + len(spec.System.Kernel) + len(spec.System.Initrd)))
	if report.AllocatedBytes > payload*13/10 || report.AllocatedBytes < payload {
		t.Errorf("%d bytes are allocated for %d bytes of payload", report.AllocatedBytes, payload)
	}
	if report.SizeBytes != gpt.MinDiskBytes {
		t.Errorf("the disk has %d bytes", report.SizeBytes)
	}
}

// leftovers lists what a build has left in a folder.
func leftovers(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestCancelledBuildLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	_, err := Build(ctx, testSpec(), Output{Path: filepath.Join(dir, "disk.img"), Progress: func(string, int64) {
		if steps++; steps == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Build: %v", err)
	}
	if names := leftovers(t, dir); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestFailedBuildKeepsOldFile replaces nothing unless the new image is whole.
func TestFailedBuildKeepsOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	spec := testSpec()
	spec.Payload = []fat32.File{{Path: "vanished", Size: 1, Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(dir, "vanished")) }}}
	if _, err := Build(t.Context(), spec, Output{Path: path, Force: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Build: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" || len(leftovers(t, dir)) != 1 {
		t.Errorf("old file: %q, %v, in %v", got, err, leftovers(t, dir))
	}
	if _, err := Build(t.Context(), testSpec(), Output{Path: path}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Build over a file: %v", err)
	}
	if _, err := Build(t.Context(), testSpec(), Output{Path: path, Force: true}); err != nil {
		t.Errorf("Build with force: %v", err)
	}
}

// TestFileAppearsMeanwhile must not replace a file that came up during the build.
func TestFileAppearsMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.img")
	_, err := Build(t.Context(), testSpec(), Output{Path: path, Progress: func(string, int64) {
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Error(err)
		}
	}})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("Build: %v, want that the file exists", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "mine" {
		t.Errorf("file %q, %v", got, err)
	}
}

// mountTmpfs gives a small file system of its own; mounting needs privileges.
func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullHostDisk(t *testing.T) {
	dir := mountTmpfs(t, "size=2m")
	_, err := Build(t.Context(), testSpec(), Output{Path: filepath.Join(dir, "disk.img")})
	if !errors.Is(err, syscall.ENOSPC) || !bytes.Contains([]byte(err.Error()), []byte("free some space")) {
		t.Errorf("Build: %v", err)
	}
	if names := leftovers(t, dir); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestReadOnlyTarget(t *testing.T) {
	dir := mountTmpfs(t, "size=2m")
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err := Build(t.Context(), testSpec(), Output{Path: filepath.Join(dir, "disk.img")})
	if !errors.Is(err, syscall.EROFS) || !bytes.Contains([]byte(err.Error()), []byte("can be written")) {
		t.Errorf("Build: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	seeded, again := identity{"a"}.guid("x"), identity{"a"}.guid("x")
	if seeded != again || seeded == (identity{"a"}).guid("y") || seeded == (identity{"b"}).guid("x") {
		t.Error("GUIDs do not depend on seed and purpose alone")
	}
	if v := seeded.String()[14]; v != '8' {
		t.Errorf("version %c of a seeded GUID, want 8", v)
	}
	one, two := identity{}.guid("x"), identity{}.guid("x")
	if one == two {
		t.Error("random GUIDs are equal")
	}
	if v := one.String()[14]; v != '4' {
		t.Errorf("version %c of a random GUID, want 4", v)
	}
	serial, again32 := identity{"a"}.serial("x"), identity{"a"}.serial("x")
	if serial != again32 || serial == (identity{"b"}).serial("x") {
		t.Error("serial numbers do not depend on the seed alone")
	}
}

// TestBuildAreas copies what is in use of a file system, and nothing else.
func TestBuildAreas(t *testing.T) {
	source := noise(1 << 20)
	area := content.Area{
		Type: gpt.TypeLinuxData, Name: "Linux guest", SizeBytes: 20 << 30, Source: bytes.NewReader(source),
		UsedExtents: []write.Extent{{OffsetBytes: 4096, LengthBytes: 4096}, {OffsetBytes: 100_000, LengthBytes: 900_000}},
	}
	spec := testSpec()
	spec.Areas = []content.Area{area}
	path, report := build(t, spec)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, want := make([]byte, len(source)), make([]byte, len(source))
	if _, err := f.ReadAt(got, report.Partitions[3].StartBytes); err != nil {
		t.Fatal(err)
	}
	for _, e := range area.UsedExtents {
		copy(want[e.OffsetBytes:], source[e.OffsetBytes:e.EndBytes()])
	}
	if !bytes.Equal(got, want) {
		t.Error("the partition does not hold the area")
	}
	spec.Areas[0].SizeBytes++
	if _, err := Prepare(spec); err == nil || !strings.Contains(err.Error(), "Linux guest: its file system has 21474836481 bytes, partition 4 (Linux Guest) 21474836480; make that larger") {
		t.Errorf("an area that is too large: %v", err)
	}
	spec.ESPOnly = true
	if _, err := Prepare(spec); err == nil || !strings.Contains(err.Error(), "no partition of the type") {
		t.Errorf("an area without partition: %v", err)
	}
}
