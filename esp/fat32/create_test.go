package fat32

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

// createFile makes a volume in a sparse file.
func createFile(t *testing.T, opts Options, files []File) (string, Usage) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "volume.img")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(opts.SizeBytes); err != nil {
		t.Fatal(err)
	}
	usage, err := Create(f, opts, files)
	if err != nil {
		t.Fatal(err)
	}
	return path, usage
}

func testOptions(size int64, sector int) Options {
	return Options{SizeBytes: size, SectorSize: sector, HiddenSectors: 2048, Serial: 0x12345678, Label: "RAYOS-TEST", Modified: testTime}
}

// testFiles are names and sizes that are easy to get wrong.
func testFiles() []File {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1300)
	files := []File{
		Bytes("EFI/BOOT/BOOTX64.EFI", big),
		Bytes("EFI/rayos/rayboot.efi", big[:4096]),
		Bytes("EFI/rayos/one-byte-more", big[:4097]),
		Bytes("EFI/rayos/empty", nil),
		Bytes("kernel.config", []byte("config")),
		Bytes("kernel.con", []byte("con")),
		Bytes("kernel.confidential", []byte("confidential")),
		Bytes("KERNEL~1.CON", []byte("literal tail")),
		Bytes("loader/entries/rayos.conf", []byte("title RayOS\n")),
		Bytes("loader/.dot", []byte("dot")),
		Bytes("loader/. .a", []byte("odd")),
		Bytes("loader/with space and 日本語.txt", []byte("unicode")),
		Bytes("loader/"+strings.Repeat("n", 255), []byte("longest")),
		{Path: "empty-dir/"},
	}
	for i := range 300 {
		files = append(files, Bytes(fmt.Sprintf("many/some long name %03d.txt", i), []byte{byte(i)}))
	}
	return files
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "MTOOLS_SKIP_CHECK=1", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestCreatePassesFsckAndMtools(t *testing.T) {
	for _, size := range []int64{34 << 20, 64 << 20, 400 << 20, 4 << 30, 16 << 30, 40 << 30} {
		for _, sector := range []int{512, 4096} {
			if sector == 4096 && size < 300<<20 {
				continue
			}
			t.Run(fmt.Sprintf("%dMiB-%d", size>>20, sector), func(t *testing.T) {
				path, usage := createFile(t, testOptions(size, sector), testFiles())
				out := command(t, "fsck.vfat", "-n", "-v", path)
				if want := fmt.Sprintf("%d/%d clusters", usage.UsedClusters, usage.Clusters); !strings.Contains(out, want) {
					t.Errorf("fsck.vfat does not say %q:\n%s", want, out)
				}
				dir := t.TempDir()
				command(t, "mcopy", "-s", "-n", "-i", path, "::*", dir)
				for _, f := range testFiles() {
					comparePath(t, filepath.Join(dir, f.Path), f)
				}
			})
		}
	}
}

func comparePath(t *testing.T, path string, f File) {
	t.Helper()
	if strings.HasSuffix(f.Path, "/") {
		if st, err := os.Stat(path); err != nil || !st.IsDir() {
			t.Errorf("%s: no directory (%v)", path, err)
		}
		return
	}
	want := new(bytes.Buffer)
	in, _ := f.Open()
	want.ReadFrom(in)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s: %d bytes, want %d (%v)", path, len(got), want.Len(), err)
	}
}
