package fat32

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/diskfs/go-diskfs/backend/file"
	diskfat "github.com/diskfs/go-diskfs/filesystem/fat32"
)

func openVolume(t *testing.T, path string) *FS {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	volume, err := Open(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	findings, err := Check(f, st.Size())
	if err != nil || len(findings) > 0 {
		t.Errorf("Check: %v, %v", findings, err)
	}
	return volume
}

func paths(files []File) (list []string) {
	for _, f := range files {
		list = append(list, strings.TrimSuffix(f.Path, "/"))
	}
	return list
}

func content(t *testing.T, f File) []byte {
	t.Helper()
	in, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadBackOwnVolume(t *testing.T) {
	files := append(testFiles(), Bytes("loader/beyond the BMP 😀", []byte("pair")))
	for _, sector := range []int{512, 4096} {
		path, want := createFile(t, testOptions(400<<20, sector), files)
		volume := openVolume(t, path)
		if got, err := volume.Usage(); err != nil || got != want {
			t.Errorf("Usage: %+v, want %+v (%v)", got, want, err)
		}
		if err := fstest.TestFS(volume, paths(files)...); err != nil {
			t.Error(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f.Path, "/") {
				continue
			}
			got, err := fs.ReadFile(volume, f.Path)
			if err != nil || !bytes.Equal(got, content(t, f)) {
				t.Errorf("%s: %d bytes, want %d (%v)", f.Path, len(got), f.Size, err)
			}
		}
		if got, err := fs.Stat(volume, "kernel.config"); err != nil || !got.ModTime().Equal(testTime) {
			t.Errorf("modification time %v, want %v (%v)", got.ModTime(), testTime, err)
		}
		info := volume.Info()
		if info.Label != "RAYOS-TEST" || info.Serial != 0x12345678 || info.HiddenSectors != 2048 || info.SectorSize != int64(sector) {
			t.Errorf("Info: %+v", info)
		}
	}
}

// TestReadForeignVolume reads what dosfstools and mtools have written.
func TestReadForeignVolume(t *testing.T) {
	for _, args := range [][]string{
		{"-F", "32", "-s", "1"}, {"-F", "32"}, {"-F", "32", "-S", "4096"}, {"-F", "32", "-f", "1"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			dir := t.TempDir()
			image := filepath.Join(dir, "volume.img")
			if err := os.WriteFile(image, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(image, 300<<20); err != nil {
				t.Fatal(err)
			}
			command(t, "mkfs.vfat", append(args, image)...)
			long := bytes.Repeat([]byte("0123456789"), 2500)
			for name, b := range map[string][]byte{"UPPER.TXT": []byte("u"), "lower.txt": []byte("l"), "Mixed long Name.txt": long} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			command(t, "mmd", "-i", image, "::EFI", "::EFI/sub")
			// Remove a file in the middle, so that the long one is in pieces.
			command(t, "mcopy", "-i", image, filepath.Join(dir, "UPPER.TXT"), "::a.txt")
			command(t, "mcopy", "-i", image, filepath.Join(dir, "UPPER.TXT"), filepath.Join(dir, "lower.txt"), "::EFI/sub")
			command(t, "mdel", "-i", image, "::a.txt")
			command(t, "mcopy", "-i", image, filepath.Join(dir, "Mixed long Name.txt"), "::EFI/sub")
			volume := openVolume(t, image)
			if err := fstest.TestFS(volume, "EFI/sub/UPPER.TXT", "EFI/sub/lower.txt", "EFI/sub/Mixed long Name.txt"); err != nil {
				t.Error(err)
			}
			got, err := fs.ReadFile(volume, "efi/SUB/mixed LONG name.TXT")
			if err != nil || !bytes.Equal(got, long) {
				t.Errorf("long file: %d bytes (%v)", len(got), err)
			}
		})
	}
}

// TestGoDiskfsReads has an independent reader look at our volume.
func TestGoDiskfsReads(t *testing.T) {
	files := testFiles()
	path, _ := createFile(t, testOptions(400<<20, 512), files)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other, err := diskfat.Read(file.New(f, true), 400<<20, 0, 512)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range files {
		if strings.HasSuffix(want.Path, "/") || want.Size == 0 {
			continue
		}
		in, err := other.OpenFile(want.Path, os.O_RDONLY)
		if err != nil {
			t.Errorf("%s: %v", want.Path, err)
			continue
		}
		got, err := io.ReadAll(in)
		if err != nil || !bytes.Equal(got, content(t, want)) {
			t.Errorf("%s: %d bytes, want %d (%v)", want.Path, len(got), want.Size, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	volume := smallVolume(t, 256<<10, smallFiles())
	f, err := Open(volume, int64(len(volume)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"nothing":                    fs.ErrNotExist,
		"empty/below":                fs.ErrNotExist,
		"EFI/BOOT/BOOTX64.EFI/x":     fs.ErrNotExist,
		"/EFI":                       fs.ErrInvalid,
		"EFI/../EFI":                 fs.ErrInvalid,
		strings.Repeat("dir/", 1000): fs.ErrInvalid,
	} {
		if _, err := f.Open(name); !errors.Is(err, want) {
			t.Errorf("Open(%.20q): %v, want %v", name, err, want)
		}
	}
	if _, err := f.ReadDir("empty"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("ReadDir of a file: %v", err)
	}
	if _, err := Open(volume, int64(len(volume))-512); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Open of a truncated volume: %v", err)
	}
	if _, err := Open(bytes.NewReader(make([]byte, 4096)), 4096); !errors.Is(err, ErrNotFAT32) {
		t.Errorf("Open of zeroes: %v", err)
	}
}
