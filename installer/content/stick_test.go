package content_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

var newID = gpt.MustParseGUID("11111111-2222-4333-8444-555555555555")

// spec is a small stick with an installer and with traces of use.
func spec() image.Spec {
	file := func(path, text string) fat32.File { return fat32.Bytes(path, []byte(text)) }
	return image.Spec{
		SizeBytes: gpt.MinDiskBytes, SectorSize: 512, Seed: "stick", Modified: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), Installer: true,
		BootManager: fakeefi.Application("manager", 1<<20),
		System: &image.System{
			Release: "6.1.0-test", Kernel: fakeefi.Application("kernel", 3<<20), Initrd: bytes.Repeat([]byte("initrd!"), 200_000),
			Options: "quiet", SafeOptions: "safe",
		},
		Entries: []fat32.File{file("Debian+1-2.conf", "title Debian\nlinux /EFI/BOOT/BOOTX64.EFI\n")},
		Payload: []fat32.File{
			file(content.AnswersPath, "x"), file("loader/random-seed", "x"), file("System Volume Information/WPSettings.dat", "x"),
			file(golden.Dir+"/old.bin", "x"), file("notes.txt", "keep me"),
		},
	}
}

// stick builds an image and opens it as the disk that a machine was booted from. change, if
// not nil, may change the file before that.
func stick(t *testing.T, s image.Spec, change func(f *os.File, esp, kernel gpt.Partition)) content.Stick {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stick.img")
	report, err := image.Build(t.Context(), s, image.Output{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	parts := report.Partitions
	if change != nil {
		change(f, parts[0], parts[1])
	}
	volume, err := fat32.Open(io.NewSectionReader(f, parts[0].StartBytes, parts[0].SizeBytes), parts[0].SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	return content.Stick{ESP: volume, Kernels: io.NewSectionReader(f, parts[1].StartBytes, parts[1].SizeBytes)}
}

// install lays a disk out, and opens what was written.
func install(t *testing.T, d content.Disk) (*fat32.FS, *os.File) {
	t.Helper()
	d.SectorSize, d.Partitions, d.Modified = 4096, gpt.Layout(), time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	files := map[int]*os.File{}
	for _, c := range d.Contents() {
		f, err := os.Create(filepath.Join(t.TempDir(), "partition"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if err := c.Write(f); err != nil {
			t.Fatal(err)
		}
		files[c.Number] = f
	}
	volume, err := fat32.Open(files[1], gpt.Layout()[0].SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	return volume, files[2]
}

// paths lists the files of a volume.
func paths(t *testing.T, fsys fs.FS) (list []string) {
	t.Helper()
	if err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestStick(t *testing.T) {
	s := spec()
	d, err := stick(t, s, nil).Read(newID)
	if err != nil {
		t.Fatal(err)
	}
	volume, kernels := install(t, d)
	want := []string{
		esp.RemovablePathX64, esp.BootStatePath, esp.InitrdPath("6.1.0-test"), esp.InstallIDPath, esp.ManagerPath, content.OriginPath, content.ManifestPath, esp.KernelPath("6.1.0-test"),
		"loader/entries/Debian+3.conf", "loader/entries/rayos-safe.conf", "loader/entries/rayos.conf", esp.LoaderConfPath, "notes.txt",
	}
	slices.Sort(want)
	if got := paths(t, volume); !slices.Equal(got, want) {
		t.Errorf("files:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for name, want := range map[string][]byte{
		esp.RemovablePathX64: s.BootManager, esp.InitrdPath("6.1.0-test"): s.System.Initrd,
		esp.InstallIDPath: []byte(newID.String() + "\n"), esp.LoaderConfPath: []byte("timeout 5\ndefault rayos\n"),
	} {
		if got, err := fs.ReadFile(volume, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %.60q, %v", name, got, err)
		}
	}
	state, err := fs.ReadFile(volume, esp.BootStatePath)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := record.Decode(state[:record.CopyBytes]); err != nil || r.InstallID != newID.String() {
		t.Errorf("boot state %+v, %v", r, err)
	}
	table, err := slots.Read(kernels)
	if err != nil || len(table.Slots) != 1 {
		t.Fatalf("%+v, %v", table, err)
	}
	got := make([]byte, len(s.System.Kernel))
	if _, err := kernels.ReadAt(got, table.Slots[0].Kernel.OffsetBytes); err != nil || !bytes.Equal(got, s.System.Kernel) {
		t.Errorf("the slot's kernel differs: %v", err)
	}
}

// TestStickWithGoldenKey takes along the one snapshot that no machine can make anew.
func TestStickWithGoldenKey(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := spec()
	s.GoldenKey = &image.GoldenKey{Public: public, Private: private}
	from := stick(t, s, nil)
	for key, want := range map[string]int{"": 0, string(public): 3, strings.Repeat("k", 32): 0} {
		if from.Key = nil; key != "" {
			from.Key = ed25519.PublicKey(key)
		}
		d, err := from.Read(newID)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, f := range d.Files {
			if strings.HasPrefix(f.Path, golden.Dir) {
				n++
			}
		}
		if n != want {
			t.Errorf("key %x: %d files of snapshots, want %d", key, n, want)
		}
	}
}

// TestFailingStick changes one byte at a time.
func TestFailingStick(t *testing.T) {
	at := func(kernel bool, content []byte) func(f *os.File, esp, k gpt.Partition) {
		return func(f *os.File, e, k gpt.Partition) {
			p := e
			if kernel {
				p = k
			}
			b := make([]byte, 300<<20)
			if _, err := f.ReadAt(b, p.StartBytes); err != nil {
				t.Fatal(err)
			}
			i := bytes.Index(b, content)
			if i < 0 {
				t.Fatal("not found")
			}
			if _, err := f.WriteAt([]byte{content[0] ^ 1}, p.StartBytes+int64(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := spec()
	for name, c := range map[string]struct {
		change func(f *os.File, esp, kernel gpt.Partition)
		says   string
	}{
		"kernel": {at(false, s.System.Kernel[1<<20:2<<20]), "EFI/rayos/vmlinuz-6.1.0-test: its content has another digest"},
		"slot":   {at(true, s.System.Kernel[1<<20:2<<20]), "kernel slot 0: its content has another digest"},
	} {
		if _, err := stick(t, s, c.change).Read(newID); !errors.Is(err, content.ErrStick) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// small is an ESP that has all that is asked for.
func small() fstest.MapFS {
	const none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	return fstest.MapFS{
		esp.RemovablePathX64:        {},
		content.ManifestPath:        {Data: []byte(none + "  EFI/BOOT/BOOTX64.EFI\n")},
		esp.LoaderConfPath:          {Data: []byte("default inst*\n")},
		"loader/entries/inst.conf":  {Data: []byte("linux /EFI/BOOT/BOOTX64.EFI\nx-rayos-role installer\n")},
		"loader/entries/linux.conf": {Data: []byte("linux /EFI/BOOT/BOOTX64.EFI\ninitrd /a\ninitrd /b\n" + esp.InitrdPinKey + " " + twoInitrds + "\n")},
		"a":                         {Data: []byte("123")},
		"b":                         {Data: []byte("abcd")},
	}
}

// twoInitrds is the digest of "123\x00abcd".
const twoInitrds = "1b367ad87d515c1eb5c7188aa1315f8d03c1a810d199acea5b412765bc4ab9b6"

func TestSmallStick(t *testing.T) {
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		says   string
	}{
		"as it is":       {func(fstest.MapFS) {}, ""},
		"another initrd": {func(f fstest.MapFS) { f["b"] = &fstest.MapFile{Data: []byte("abcx")} }, "boot entry linux: a, b: its content has another digest"},
		"no initrd":      {func(f fstest.MapFS) { delete(f, "b") }, "boot entry linux: b: file does not exist"},
		"no kernel":      {func(f fstest.MapFS) { f["loader/entries/a.conf"] = &fstest.MapFile{Data: []byte("linux /none\n")} }, "boot entry a: none: file does not exist"},
		"odd entry":      {func(f fstest.MapFS) { f["loader/entries/a.conf"] = &fstest.MapFile{Data: []byte("linux /../x\n")} }, "correct it on the stick, or remove it"},
		"no manager":     {func(f fstest.MapFS) { delete(f, esp.RemovablePathX64) }, "EFI/BOOT/BOOTX64.EFI: file does not exist"},
		"no digests":     {func(f fstest.MapFS) { delete(f, content.ManifestPath) }, "read the digests of its files"},
		"odd digests":    {func(f fstest.MapFS) { f[content.ManifestPath].Data = []byte("12  a\n") }, `sha256sums has the line "12  a\n"`},
		"long digests":   {func(f fstest.MapFS) { f[content.ManifestPath].Data = make([]byte, 1<<20) }, "more than 65536 bytes"},
		"only installer": {func(f fstest.MapFS) { delete(f, "loader/entries/linux.conf") }, "no boot entry besides the installer's"},
		"endless": {func(f fstest.MapFS) {
			f[strings.Repeat("d/", 20)+"f"] = &fstest.MapFile{}
		}, "nested more than 16 times"},
	} {
		f := small()
		c.change(f)
		d, err := content.Stick{ESP: f}.Read(newID)
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			i := slices.IndexFunc(d.Files, func(f fat32.File) bool { return f.Path == esp.LoaderConfPath })
			r, err := d.Files[i].Open()
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(r); err != nil || string(text) != "default linux\n" {
				t.Errorf("loader.conf %q, %v", text, err)
			}
			continue
		}
		if !errors.Is(err, content.ErrStick) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
}

func TestStorable(t *testing.T) {
	for _, c := range []struct{ year, want int }{{1970, 1980}, {1980, 1980}, {2026, 2026}, {2107, 2107}, {3000, 2107}} {
		if got := content.Storable(time.Date(c.year, 6, 1, 0, 0, 0, 0, time.UTC)); got.Year() != c.want {
			t.Errorf("%d becomes %v", c.year, got)
		}
	}
}

func FuzzStick(f *testing.F) {
	good := small()
	f.Add(good[content.ManifestPath].Data, good[esp.LoaderConfPath].Data, good["loader/entries/linux.conf"].Data)
	f.Add([]byte("  \n"), []byte("default [\n"), []byte("linux /../x\n"))
	f.Fuzz(func(t *testing.T, sums, conf, entry []byte) {
		files := small()
		files[content.ManifestPath].Data, files[esp.LoaderConfPath].Data, files["loader/entries/linux.conf"].Data = sums, conf, entry
		d, err := content.Stick{ESP: files}.Read(newID)
		if err != nil && (!errors.Is(err, content.ErrStick) || d.Files != nil) {
			t.Errorf("%v", err)
		}
	})
}
