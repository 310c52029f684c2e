package espdisk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMake(t *testing.T) {
	for _, tool := range []string{"sgdisk", "mkfs.vfat", "mcopy"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err) // the whole-machine tests cannot do without them
		}
	}
	folder := t.TempDir()
	file, image := filepath.Join(folder, "file"), filepath.Join(folder, "disk.img")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Make(t.Context(), image, 40, map[string]string{"EFI/BOOT/BOOTX64.EFI": file, "root.txt": file, "EFI/BOOT/b": file}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"EFI/BOOT/BOOTX64.EFI", "root.txt", "EFI/BOOT/b"} {
		out, err := exec.Command("mtype", "-i", image+"@@1M", "::/"+name).CombinedOutput()
		if err != nil || string(out) != "hello" {
			t.Errorf("%s holds %q, %v", name, out, err)
		}
	}
	copied := filepath.Join(folder, "copied")
	if err := Extract(t.Context(), image, "EFI/BOOT/BOOT*", copied); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(copied); err != nil || string(got) != "hello" {
		t.Errorf("extracted %q, %v", got, err)
	}
	out, err := exec.Command("sgdisk", "--info=1", image).CombinedOutput()
	if err != nil || !strings.Contains(string(out), PartitionGUID) || !strings.Contains(string(out), "First sector: 2048") {
		t.Errorf("sgdisk says %v\n%s", err, out)
	}
	if err := Make(t.Context(), image, 40, nil); err == nil {
		t.Error("overwrote a disk image")
	}
}
