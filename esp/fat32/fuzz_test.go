package fat32

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"slices"
	"testing"
)

// FuzzReader reads and checks volumes that were tampered with. Whatever they
// hold, the reader ends and uses bounded memory.
func FuzzReader(f *testing.F) {
	good := smallVolume(f, 64<<10, smallFiles())
	f.Add([]byte(good))
	for _, off := range []int{11, 13, 16, 36, 44, 32*512 + 8, 33*512 + 12} {
		bad := append([]byte(nil), good...)
		binary.LittleEndian.PutUint32(bad[off:], 0x0000ffff)
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := memory(b)
		volume, err := Open(m, int64(len(b)))
		if err != nil {
			return
		}
		if _, err := Check(m, int64(len(b))); err != nil {
			t.Logf("Check: %v", err)
		}
		steps := 0
		_ = fs.WalkDir(volume, ".", func(path string, d fs.DirEntry, err error) error {
			if steps++; steps > 200 {
				return fs.SkipAll
			}
			if err != nil || d.IsDir() {
				return nil
			}
			file, err := volume.Open(path)
			if err != nil {
				return nil
			}
			defer file.Close()
			if n, err := io.Copy(io.Discard, file); err == nil && n > int64(len(b)) {
				t.Errorf("%s has %d bytes, the volume %d", path, n, len(b))
			}
			return nil
		})
	})
}

// FuzzNames stores two files under any names and finds them again.
func FuzzNames(f *testing.F) {
	f.Add("kernel.config", "kernel.con")
	f.Add(".dot", "with space")
	f.Add("日本語", "KERNEL~1.CON")
	f.Fuzz(func(t *testing.T, a, b string) {
		root, err := newTree([]File{Bytes(a, []byte("first")), Bytes(b, []byte("second"))})
		if err != nil {
			return // not FAT names
		}
		for _, c := range root.children {
			if c.dir {
				return
			}
		}
		m := smallVolume(t, 64<<10, []File{Bytes(a, []byte("first")), Bytes(b, []byte("second"))})
		volume, err := Open(m, int64(len(m)))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{a: "first", b: "second"} {
			got, err := fs.ReadFile(volume, name)
			if err != nil || string(got) != want {
				t.Errorf("%q: %q, want %q (%v)", name, got, want, err)
			}
		}
		findings, err := Check(m, int64(len(m)))
		if err != nil || len(findings) != 1 { // only fat-too-small
			t.Errorf("Check: %v, %v", findings, err)
		}
	})
}

// FuzzEdit changes volumes that were tampered with, three bytes for each byte: its place
// and the bits that are turned over. It ends, and what it does not refuse it leaves as good
// as it was.
func FuzzEdit(f *testing.F) {
	good := smallVolume(f, 64<<10, smallFiles())
	f.Add([]byte{}, "loader/new file.conf")
	f.Add([]byte{65, 0, 1, 0, 0x42, 0x55}, "EFI/rayos/golden/x.bin")
	f.Add([]byte{8, 0x40, 0xff, 9, 0x40, 0xff}, "dir/a")
	f.Add([]byte{7, 0x40, 0xfe}, "new/a") // dirty, and with errors
	f.Fuzz(func(t *testing.T, damage []byte, name string) {
		m := memory(slices.Clone(good))
		for ; len(damage) >= 3; damage = damage[3:] {
			m[int(damage[0])|int(damage[1])<<8] ^= damage[2]
		}
		e, err := Edit(syncing{m}, int64(len(m)), testTime)
		if err != nil {
			return
		}
		if e.Create(name, 700, bytes.NewReader(make([]byte, 700))) != nil || e.Close() != nil {
			return
		}
		if got, err := fs.ReadFile(e, name); err != nil || len(got) != 700 {
			t.Errorf("%q: %d bytes, %v", name, len(got), err)
		}
		if _, err := Edit(syncing{m}, int64(len(m)), testTime); err != nil {
			t.Errorf("changed again: %v", err)
		}
	})
}
