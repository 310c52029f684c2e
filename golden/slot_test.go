package golden

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// slotted is a system that was booted from kernel slot 3 of a partition.
func slotted(partition []byte, name string) Source {
	content := []byte("kernel " + name + strings.Repeat("initrd "+name, 50))
	const kernelAt = 512
	copy(partition[kernelAt:], content)
	length := len("kernel " + name)
	part := func(at, end int) BootedPart {
		return BootedPart{Slot: 3, OffsetBytes: int64(kernelAt + at), LengthBytes: int64(end - at), SHA256: Sum(content[at:end])}
	}
	return Source{
		Entry:  name,
		Booted: Booted{Title: "System " + name, Options: "root=" + name, Kernel: part(0, length), Initrd: part(length, len(content))},
		Open: func(p BootedPart) (io.ReadCloser, error) {
			if len(p.Paths) > 0 || p.Slot != 3 {
				return nil, fs.ErrInvalid
			}
			return io.NopCloser(io.NewSectionReader(bytes.NewReader(partition), p.OffsetBytes, p.LengthBytes)), nil
		},
	}
}

const fullESP = ManifestBytes + slackBytes // room for a manifest, and for nothing else

func TestTakeFromASlot(t *testing.T) {
	for _, c := range []struct {
		name string
		free int64
		slot int // that the snapshot lies in
	}{{"room on the ESP", 1 << 30, noSlot}, {"full ESP", fullESP, 3}} {
		t.Run(c.name, func(t *testing.T) {
			partition := make([]byte, 4096)
			src := slotted(partition, "a")
			v := newVolume()
			v.free = c.free
			s, made, err := Take(v, src, unused)
			if err != nil || !made || s.Kernel.Slot != c.slot || s.Initrd.Slot != c.slot {
				t.Fatalf("%+v, made %v, %v", s, made, err)
			}
			if promoted, err := Promote(v, s.ID()); err != nil || !promoted {
				t.Fatalf("promoted %v, %v", promoted, err)
			}
			all, problems := List(v)
			if len(all) != 1 || problems != nil || all[0].State != Stable || all[0].Kernel != s.Kernel {
				t.Errorf("%+v, %v", all, problems)
			}
			if err := Verify(v, bytes.NewReader(partition), all[0]); err != nil {
				t.Error(err)
			}
			if parts := len(v.store()) - 1; (parts == 0) != (c.slot == 3) {
				t.Errorf("the store has %v", v.store())
			}
			ops := v.ops
			if again, made, err := Take(v, src, unused); made || err != nil || again.ID() != s.ID() || v.ops != ops {
				t.Errorf("the same again: made %v, %v, %d writes", made, err, v.ops-ops)
			}
		})
	}
}

func TestTakeFromASlotThatHasChanged(t *testing.T) {
	partition := make([]byte, 4096)
	src := slotted(partition, "a")
	slotted(partition, "b")
	v := newVolume()
	v.free = fullESP
	if _, made, err := Take(v, src, unused); made || !errors.Is(err, ErrChanged) || len(v.MapFS) > 0 {
		t.Errorf("made %v, %v, left %v", made, err, v.store())
	}
}

// TestNoRoomAtAll has an ESP without room even for a manifest, and one without
// room for a system that was not booted from a slot.
func TestNoRoomAtAll(t *testing.T) {
	v := newVolume()
	v.free = fullESP - 1
	if _, _, err := Take(v, slotted(make([]byte, 4096), "a"), unused); !errors.Is(err, errNoRoom) {
		t.Errorf("from a slot: %v", err)
	}
	v.free = fullESP
	src, _ := system("a")
	if _, _, err := Take(v, src, unused); !errors.Is(err, errNoRoom) || len(v.MapFS) > 0 {
		t.Errorf("from files: %v, left %v", err, v.store())
	}
}

// TestSlotThatIsWrittenAnew has an update in the slot of a snapshot. What it was
// taken of is booted once more, from files: it is kept again, now on the ESP.
func TestSlotThatIsWrittenAnew(t *testing.T) {
	partition := make([]byte, 4096)
	inSlot := slotted(partition, "a")
	v := newVolume()
	v.free = fullESP
	s, _, err := Take(v, inSlot, unused)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Promote(v, s.ID()); err != nil {
		t.Fatal(err)
	}
	v.free = 1 << 30
	files, content := system("a")
	content["linux"], content["initrd"] = "kernel a", strings.Repeat("initrd a", 50)
	fromFiles := files.Open
	files.Open = func(p BootedPart) (io.ReadCloser, error) {
		if len(p.Paths) == 0 {
			return nil, fs.ErrPermission
		}
		return fromFiles(p)
	}
	if again, made, err := Take(v, files, unused); made || err != nil || again.ID() != s.ID() {
		t.Fatalf("a slot that cannot be read: made %v, %v", made, err)
	}
	slotted(partition, "b")
	files.Open = func(p BootedPart) (io.ReadCloser, error) {
		if len(p.Paths) == 0 {
			return inSlot.Open(p)
		}
		return fromFiles(p)
	}
	again, made, err := Take(v, files, unused)
	if err != nil || !made || again.ID() != s.ID() || again.inSlot() || again.State != Candidate {
		t.Fatalf("%+v, made %v, %v", again, made, err)
	}
	if all, problems := List(v); len(all) != 1 || problems != nil || Verify(v, nil, all[0]) != nil {
		t.Errorf("%+v, %v", all, problems)
	}
}

// TestTheOneInASlotStays: a snapshot in a slot that is whole is not given up for
// others that are not stable.
func TestTheOneInASlotStays(t *testing.T) {
	partition := make([]byte, 4096)
	v := newVolume()
	v.free = fullESP
	src := slotted(partition, "a")
	kept, _, err := Take(v, src, unused)
	if err != nil {
		t.Fatal(err)
	}
	v.free = 1 << 30
	for _, name := range []string{"2", "3", "4", "5", "6", "7"} {
		next, _ := system(name)
		fromFiles := next.Open
		next.Open = func(p BootedPart) (io.ReadCloser, error) {
			if len(p.Paths) == 0 {
				return src.Open(p)
			}
			return fromFiles(p)
		}
		s, _, err := Take(v, next, unused)
		if err != nil {
			t.Fatal(err)
		}
		v.MapFS[Dir+"/"+s.Kernel.FileName()].Data = []byte("damaged " + name)[:s.Kernel.LengthBytes]
	}
	if all, _ := List(v); !has(all, kept) {
		t.Errorf("given up; left are %+v", all)
	}
}

func has(all []Snapshot, wanted Snapshot) bool {
	return slices.ContainsFunc(all, func(s Snapshot) bool { return s.ID() == wanted.ID() })
}

// TestPowerCutsOfASlotSnapshot cuts the power at every operation of a snapshot in
// a slot, with all that may be left of a file.
func TestPowerCutsOfASlotSnapshot(t *testing.T) {
	partition := make([]byte, 4096)
	src := slotted(partition, "new")
	start := newVolume()
	old := take(t, start, "old")
	if _, err := Promote(start, old.ID()); err != nil {
		t.Fatal(err)
	}
	start.free = fullESP
	whole := start.again()
	if err := takeAndPromote(whole, src); err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut <= whole.ops; cut++ {
		for left := range leftovers {
			v := start.again()
			v.cutAt, v.left = cut, left
			_ = takeAndPromote(v, src) // the power is gone
			v = v.again()
			all, _ := List(v)
			for _, s := range all {
				if err := Verify(v, bytes.NewReader(partition), s); err != nil {
					t.Errorf("cut at %d, left %d: %v", cut, left, err)
				}
			}
			if !has(all, old) {
				t.Errorf("cut at %d, left %d: the old one is gone", cut, left)
			}
			if err := takeAndPromote(v, src); err != nil {
				t.Errorf("cut at %d, left %d: the next boot: %v", cut, left, err)
			}
			if all, problems := List(v); len(all) != 2 || problems != nil || all[0].State != Stable || !all[0].inSlot() {
				t.Errorf("cut at %d, left %d: after the next boot %+v, %v", cut, left, all, problems)
			}
		}
	}
}
