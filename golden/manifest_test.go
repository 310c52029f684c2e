package golden

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

func snapshotOf(name string, sequence uint64, state State) Snapshot {
	return Snapshot{
		Sequence: sequence, State: state, Entry: name, Title: "System " + name, Options: "root=" + name,
		Kernel: Part{LengthBytes: 100, SHA256: Sum([]byte(name)), Slot: noSlot},
		Initrd: Part{LengthBytes: 200, SHA256: Sum([]byte("initrd " + name)), Slot: 3, OffsetBytes: 4096},
	}
}

func reseal(b []byte) { binary.LittleEndian.PutUint32(b[offChecksum:], checksum(b)) }

func TestManifest(t *testing.T) {
	want := snapshotOf("a", 7, Stable)
	want.Options = strings.Repeat("ö", MaxOptions/2)
	want.Signature[5] = 1
	b, err := EncodeManifest(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeManifest(b[:]); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range 8 * ManifestBytes {
		b[i/8] ^= 1 << (i % 8)
		if _, err := DecodeManifest(b[:]); err == nil {
			t.Fatalf("bit %d of byte %d flipped: accepted", i%8, i/8)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

func TestManifestErrors(t *testing.T) {
	change := func(change func(b []byte)) []byte {
		b, err := EncodeManifest(snapshotOf("a", 7, Stable))
		if err != nil {
			t.Fatal(err)
		}
		change(b[:])
		reseal(b[:])
		return b[:]
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrNoManifest},
		{"zeros", make([]byte, ManifestBytes), ErrNoManifest},
		{"newer", change(func(b []byte) { b[offVersion]++ }), ErrVersion},
		{"newer minor", change(func(b []byte) { b[offVersion+2]++ }), ErrVersion},
		{"state", change(func(b []byte) { b[offState] = 2 }), ErrInvalid},
		{"no kernel", change(func(b []byte) { clear(b[offKernel : offKernel+8]) }), ErrInvalid},
		{"huge kernel", change(func(b []byte) { b[offKernel+6] = 1 }), ErrInvalid},
		{"slot", change(func(b []byte) { b[offInitrd+16] = 16 }), ErrInvalid},
		{"reserved", change(func(b []byte) { b[ManifestBytes-1] = 1 }), ErrInvalid},
		{"text", change(func(b []byte) { b[offTitle] = 7 }), ErrInvalid},
	} {
		if _, err := DecodeManifest(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// put stores a manifest, and the parts' files with the right size.
func put(t *testing.T, fsys fstest.MapFS, s Snapshot) {
	t.Helper()
	b, err := EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	fsys[path.Join(Dir, s.Name())] = &fstest.MapFile{Data: b[:]}
	fsys[path.Join(Dir, s.Kernel.FileName())] = &fstest.MapFile{Data: make([]byte, s.Kernel.LengthBytes)}
}

func TestListOrder(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, s := range []Snapshot{
		snapshotOf("newest", 5, Candidate), snapshotOf("stable", 2, Stable), snapshotOf("older", 1, Stable),
		snapshotOf("promoted", 3, Stable), snapshotOf("promoted", 3, Candidate),
	} {
		put(t, fsys, s)
	}
	var names []string
	all, problems := List(fsys)
	for _, s := range all {
		names = append(names, s.Entry)
	}
	if fmt.Sprint(names) != "[promoted stable older newest]" || problems != nil {
		t.Errorf("%v, %v", names, problems)
	}
	if all, problems := List(fstest.MapFS{}); all != nil || problems != nil {
		t.Errorf("an ESP without a store: %v, %v", all, problems)
	}
}

func TestListTellsWhatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(fsys fstest.MapFS, s Snapshot)
		says  string
	}{
		{"damaged", func(f fstest.MapFS, s Snapshot) { f[path.Join(Dir, s.Name())].Data[99] ^= 1 }, "checksum"},
		{"short", func(f fstest.MapFS, s Snapshot) { f[path.Join(Dir, s.Name())].Data = []byte("x") }, "1 bytes"},
		{"missing part", func(f fstest.MapFS, s Snapshot) { delete(f, path.Join(Dir, s.Kernel.FileName())) }, "missing"},
		{"short part", func(f fstest.MapFS, s Snapshot) { f[path.Join(Dir, s.Kernel.FileName())].Data = nil }, "0 bytes, want 100"},
		{"another name", func(f fstest.MapFS, s Snapshot) {
			f[path.Join(Dir, "other.stable")] = f[path.Join(Dir, s.Name())]
			delete(f, path.Join(Dir, s.Name()))
		}, "its name should be"},
		{"too many files", func(f fstest.MapFS, _ Snapshot) {
			for i := range maxFiles {
				f[path.Join(Dir, fmt.Sprintf("%03d", i))] = &fstest.MapFile{}
			}
		}, "more than 64 files"},
	} {
		fsys := fstest.MapFS{}
		s := snapshotOf("a", 1, Stable)
		put(t, fsys, s)
		c.spoil(fsys, s)
		if all, problems := List(fsys); len(all) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Error(), c.says) {
			t.Errorf("%s: %v, %v", c.name, all, problems)
		}
	}
}

func TestVerifyInSlots(t *testing.T) {
	kernels := make([]byte, 8192)
	copy(kernels[4096:], "initrd")
	s := snapshotOf("a", 1, Stable)
	s.Kernel = Part{LengthBytes: 6, SHA256: Sum([]byte("initrd")), Slot: 0, OffsetBytes: 4096}
	s.Initrd = Part{Slot: noSlot}
	if err := Verify(fstest.MapFS{}, bytes.NewReader(kernels), s); err != nil {
		t.Error(err)
	}
	kernels[4097]++
	if err := Verify(fstest.MapFS{}, bytes.NewReader(kernels), s); !errors.As(err, new(*MismatchError)) {
		t.Error(err)
	}
	if err := Verify(fstest.MapFS{}, nil, s); err == nil {
		t.Error("without a partition it is verified")
	}
}

func TestBooted(t *testing.T) {
	want := Booted{
		Title: "RayOS 6.1", Snapshot: Sum([]byte("s")), Options: "root=a quiet",
		Kernel: BootedPart{Paths: []string{"EFI/a"}, Slot: noSlot, LengthBytes: 5, SHA256: Sum([]byte("k"))},
		Initrd: BootedPart{Slot: 2, OffsetBytes: 8192, LengthBytes: 9, SHA256: Sum([]byte("i"))},
	}
	got, err := ParseBooted(want.Encode())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", got, err)
	}
	text := want.Encode()
	for _, bad := range []string{
		"", "TITLE=x", text + "MORE=1\n", strings.Replace(text, "KERNEL_BYTES=5", "KERNEL_BYTES=-5", 1),
		strings.Replace(text, "INITRD_SLOT=2", "INITRD_SLOT=two", 1), strings.Replace(text, "SNAPSHOT=", "SNAPSHOT=z", 1),
		strings.Replace(text, "TITLE", "OPTIONS", 1), text + strings.Repeat("x", MaxBootedBytes),
	} {
		if _, err := ParseBooted(bad); err == nil {
			t.Errorf("accepted: %.60q", bad)
		}
	}
	want.Options = "a\nSLOT=1\r\x00"
	if got, err := ParseBooted(want.Encode()); err != nil || got.Options != "a SLOT=1  " {
		t.Errorf("%q, %v", got.Options, err)
	}
}

func FuzzDecodeManifest(f *testing.F) {
	b, err := EncodeManifest(snapshotOf("a", 1, Stable))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == ManifestBytes {
			reseal(data)
		}
		s, err := DecodeManifest(data)
		if err != nil {
			return
		}
		if b, err := EncodeManifest(s); err != nil || !bytes.Equal(b[:], data) {
			t.Fatalf("%v: what was read is not written back", err)
		}
	})
}

func FuzzParseBooted(f *testing.F) {
	f.Add(Booted{Title: "a", Kernel: BootedPart{Paths: []string{"a", "b"}}}.Encode())
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBooted(text)
		if err != nil {
			return
		}
		again, err := ParseBooted(b.Encode())
		if err != nil || again.Encode() != b.Encode() {
			t.Fatalf("%v: %q becomes %q", err, b.Encode(), again.Encode())
		}
	})
}
