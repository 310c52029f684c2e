package harness

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// ForeignDisk makes a disk image with nothing but an EFI System Partition, by the tools that other people use (sgdisk,
// mkfs.vfat, mcopy). The keys of files are slash paths on the partition, the values paths of the host.
func ForeignDisk(t testing.TB, sizeMiB int, files map[string]string) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "foreign.img")
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(int64(sizeMiB) << 20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// The partition is from 1 MiB to 1 MiB before the end.
	Run(t, "sgdisk", "--clear", "--new=1:1M:-1M", "--typecode=1:ef00", "--change-name=1:EFI system partition", image)
	Run(t, "mkfs.vfat", "-F", "32", "-n", "ESP", "--offset", "2048", image, fmt.Sprint((sizeMiB-2)<<10))
	partition := image + "@@1M"
	made := map[string]bool{".": true}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		makeFolders(t, partition, path.Dir(name), made)
		Run(t, "mcopy", "-i", partition, files[name], "::/"+name)
	}
	return image
}

func makeFolders(t testing.TB, partition, folder string, made map[string]bool) {
	t.Helper()
	if made[folder] {
		return
	}
	makeFolders(t, partition, path.Dir(folder), made)
	Run(t, "mmd", "-i", partition, "::/"+folder)
	made[folder] = true
}

// WriteFile puts text into a file of the host for the duration of the test and returns its path.
func WriteFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
