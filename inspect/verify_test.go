package inspect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

func testSpec() image.Spec {
	return image.Spec{
		SizeBytes: gpt.MinDiskBytes, SectorSize: 512, Seed: "test", Modified: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		BootManager: fakeefi.Application("manager", 70_000),
		System: &image.System{
			Release: "6.1.0-test", Kernel: fakeefi.Application("kernel", 300_000), Initrd: fakeefi.Application("initrd", 200_001),
			Options: "quiet", SafeOptions: "safe",
		},
	}
}

// build makes an image and opens it.
func build(t testing.TB, spec image.Spec) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	if _, err := image.Build(t.Context(), spec, image.Output{Path: path}); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func verify(t testing.TB, r io.ReaderAt, size int64) (codes []string) {
	t.Helper()
	findings, err := inspect.Verify(t.Context(), r, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Text == "" {
			t.Errorf("%s has no text", f.Code)
		}
		codes = append(codes, f.Code)
	}
	return codes
}

// find returns the byte of the image at which content lies.
func find(t testing.TB, f *os.File, from, to int64, content []byte) int64 {
	t.Helper()
	b := make([]byte, to-from)
	if _, err := f.ReadAt(b, from); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, content)
	if at < 0 {
		t.Fatalf("%.20q is not at bytes %d to %d", content, from, to)
	}
	return from + int64(at)
}

// TestEveryDamagedRegionIsFound flips one byte of each region in turn.
func TestEveryDamagedRegionIsFound(t *testing.T) {
	spec := testSpec()
	f := build(t, spec)
	if codes := verify(t, f, spec.SizeBytes); len(codes) > 0 {
		t.Fatalf("undamaged image: %v", codes)
	}
	const sector, esp = 512, gpt.MiB
	end, kernelPart := spec.SizeBytes, int64(401*gpt.MiB)
	inESP := func(content []byte) int64 { return find(t, f, esp, esp+8*gpt.MiB, content) }
	fat0 := inESP([]byte{0xf8, 0xff, 0xff, 0x0f})
	fat1 := find(t, f, fat0+4, esp+8*gpt.MiB, []byte{0xf8, 0xff, 0xff, 0x0f})
	slot := kernelPart + slots.AreaOffset(0)
	tests := []struct {
		region string
		at     int64
		want   string
	}{
		{"protective MBR", 446 + 12, "gpt-mbr"},
		{"primary header", sector + 24, "gpt-primary-unusable"},
		{"primary entries", 2*sector + 100, "gpt-primary-unusable"},
		{"backup entries", end - 33*sector + 130, "gpt-backup-unusable"},
		{"backup header", end - sector + 60, "gpt-backup-unusable"},
		{"boot sector", esp + 67, "fat-backup-boot"},
		{"hidden sectors", esp + 28, "fat-hidden"},
		{"boot signature", esp + 510, "fat-unusable"},
		{"FSInfo", esp + sector + 488, "fat-fsinfo"},
		{"backup boot sector", esp + 6*sector + 40, "fat-backup-boot"},
		{"first FAT", fat0 + 40, "fat-copies-differ"},
		{"second FAT", fat1 + 40, "fat-copies-differ"},
		{"directory", inESP([]byte("EFI        ")) + 26, "fat-"},
		{"boot manager", inESP(spec.BootManager[0x400:0x500]) + 60_000, "esp-digest"},
		{"kernel", inESP(spec.System.Kernel[0x400:0x500]) + 200_000, "esp-digest"},
		{"initrd", inESP(spec.System.Initrd[0x400:0x500]), "esp-digest"},
		{"kernel's PE header", inESP(spec.System.Kernel[0x400:0x500]) - 0x400, "esp-entry"},
		{"digests", inESP([]byte("  EFI/rayos/rayboot.efi")) - 1, "esp-"},
		{"entry", inESP([]byte("/EFI/rayos/vmlinuz")) + 12, "esp-entry"},
		{"default", inESP([]byte("default")) + 10, "esp-default"},
		{"state of the FAT", esp + 65, "fat-dirty"},
		{"slot table A", kernelPart + 3000, "slot-table"},
		{"slot table B", kernelPart + slots.CopyBOffset + 16, "slot-table"},
		{"slot kernel", slot + 299_999, "slot-image"},
		{"slot initrd", find(t, f, slot, slot+gpt.MiB, spec.System.Initrd[0x400:0x500]), "slot-image"},
	}
	for _, test := range tests {
		t.Run(test.region, func(t *testing.T) {
			flip(t, f, test.at)
			defer flip(t, f, test.at)
			codes := verify(t, f, spec.SizeBytes)
			if !strings.Contains(strings.Join(codes, " "), test.want) {
				t.Errorf("byte %d: findings %v, want %s", test.at, codes, test.want)
			}
		})
	}
}

func flip(t *testing.T, f *os.File, at int64) {
	t.Helper()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x01
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// pin is the line of an entry that pins content.
func pin(key, content string) string { return fmt.Sprintf("%s %v\n", key, golden.Sum([]byte(content))) }

// twoInitrds has an entry with two initrds that are pinned as joined.
func twoInitrds(joined string) image.Spec {
	spec := testSpec()
	text := "title A\nlinux /EFI/BOOT/BOOTX64.EFI\ninitrd /one\ninitrd /two\n" +
		pin(esp.LinuxPinKey, string(spec.BootManager)) + pin(esp.InitrdPinKey, joined)
	spec.Entries = []fat32.File{fat32.Bytes("a.conf", []byte(text))}
	spec.Payload = []fat32.File{fat32.Bytes("one", []byte("123")), fat32.Bytes("two", []byte("abcd"))}
	return spec
}

// TestVerifyContent builds ESPs whose files do not fit together.
func TestVerifyContent(t *testing.T) {
	entry := func(name, text string) image.Spec {
		spec := testSpec()
		spec.Entries = []fat32.File{fat32.Bytes(name, []byte(text))}
		return spec
	}
	payload := func(path, text string) image.Spec {
		spec := testSpec()
		spec.Payload = []fat32.File{fat32.Bytes(path, []byte(text))}
		return spec
	}
	windows := payload("loader/loader.conf", "default auto-windows\n")
	windows.Payload = append(windows.Payload, fat32.Bytes(esp.WindowsPath, []byte("Windows")))
	for _, test := range []struct {
		name string
		spec image.Spec
		want string
	}{
		{"initrd is missing", entry("a.conf", "title A\nlinux /EFI/BOOT/BOOTX64.EFI\ninitrd /missing\n"), "esp-entry"},
		{"kernel is no EFI image", entry("a.conf", "title A\nlinux /loader/loader.conf\n"), "esp-entry"},
		{"kernel is a directory", entry("a.conf", "title A\nlinux /loader\n"), "esp-entry"},
		{"unreadable entry", entry("a.conf", "title A\nlinux ../../x\n"), "esp-entry"},
		{"ID of a slot", entry("rayos-slot.conf", "title A\nlinux /EFI/BOOT/BOOTX64.EFI\n"), "esp-entry"},
		{"empty kernel", payload("EFI/rayos/vmlinuz-6.1.0-test", ""), "esp-entry"},
		{"unreadable pin", entry("a.conf", "title A\nlinux /EFI/BOOT/BOOTX64.EFI\nx-rayos-linux-sha256 12\n"), "esp-pin"},
		{"another kernel than the pinned", entry("a.conf", "title A\nlinux /EFI/BOOT/BOOTX64.EFI\n"+pin(esp.LinuxPinKey, "x")), "esp-pin"},
		{"pin of no initrd", entry("a.conf", "title A\nlinux /EFI/BOOT/BOOTX64.EFI\n"+pin(esp.InitrdPinKey, "x")), "esp-pin"},
		{"another initrd than the pinned", twoInitrds("1234567\x00abcd"), "esp-pin"},
		{"pins that are right", twoInitrds("123\x00abcd"), ""},
		{"no boot manager", payload("EFI/BOOT/BOOTX64.EFI", "text"), "esp-boot-manager"},
		{"default without entry", payload("loader/loader.conf", "default nothing*\n"), "esp-default"},
		{"default without Windows", payload("loader/loader.conf", "default auto-windows\n"), "esp-default"},
		{"default is Windows", windows, ""},
		{"odd install ID", payload("EFI/rayos/install.id", "no GUID\n"), "esp-install-id"},
		{"odd digests", payload(image.ManifestPath, "abc  file\n"), "esp-manifest"},
		{"long digests", payload(image.ManifestPath, strings.Repeat("x", 100_000)), "esp-manifest"},
		{"digest of a missing file", payload(image.ManifestPath, fmt.Sprintf("%064x  missing\n", 1)), "esp-digest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := build(t, test.spec)
			codes := verify(t, f, test.spec.SizeBytes)
			slices.Sort(codes)
			if got := strings.Join(slices.Compact(codes), " "); got != test.want {
				t.Errorf("findings %q, want %q", got, test.want)
			}
		})
	}
}

// TestVerifyTruncated cuts the image at many places.
func TestVerifyTruncated(t *testing.T) {
	spec := testSpec()
	f := build(t, spec)
	for _, size := range []int64{0, 1, 511, 512, 1000, 1024, 4096, 17 << 10, 1 << 20, 1<<20 + 512, 10 << 20, 500 << 20, 700 << 20, spec.SizeBytes - 512, spec.SizeBytes - 1} {
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
		if codes := verify(t, f, size); len(codes) == 0 {
			t.Errorf("cut to %d bytes: no finding", size)
		}
	}
}

// TestNoSlots has no slot table in either copy, which is different from a damaged one.
func TestNoSlots(t *testing.T) {
	spec := testSpec()
	f := build(t, spec)
	for i, at := range []int64{slots.CopyAOffset, slots.CopyBOffset} {
		if _, err := f.WriteAt(make([]byte, slots.CopyBytes), 401*gpt.MiB+at); err != nil {
			t.Fatal(err)
		}
		findings, err := inspect.Verify(t.Context(), f, spec.SizeBytes)
		want := []inspect.Finding{{Code: "slot-table"}, {Code: "slot-none", Warning: true}}[i]
		if err != nil || len(findings) != 1 || findings[0].Code != want.Code || findings[0].Warning != want.Warning {
			t.Errorf("%d copies are gone: %+v, %v", i+1, findings, err)
		}
		if problem := inspect.Problem(findings); (problem == nil) != want.Warning {
			t.Errorf("%v", problem)
		}
		var b strings.Builder
		if err := inspect.Print(&b, "sdb", findings); err != nil || !strings.HasSuffix(b.String(), []string{"sdb: 1 problem\n", "sdb: no problems, 1 warning\n"}[i]) {
			t.Errorf("%q, %v", b.String(), err)
		}
	}
}

func TestVerifyOtherDisks(t *testing.T) {
	if codes := verify(t, bytes.NewReader(make([]byte, 1<<20)), 1<<20); len(codes) != 1 || codes[0] != "gpt-none" {
		t.Errorf("zeroes: %v", codes)
	}
	if _, err := inspect.Verify(t.Context(), failingReader{}, 1<<30); !errors.Is(err, errDisk) {
		t.Errorf("failing disk: %v", err)
	}
	f := build(t, testSpec())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := inspect.Verify(ctx, f, gpt.MinDiskBytes); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

var errDisk = errors.New("disk error")

type failingReader struct{}

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
