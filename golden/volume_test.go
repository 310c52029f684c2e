package golden

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// volume is an ESP in memory whose power can be cut at any write.
type volume struct {
	fstest.MapFS
	free int64

	ops   int
	cutAt int // operation at which the power is cut; 0 for never
	left  leftover
	dead  bool
}

// leftover is what a cut leaves of a file that was being made.
type leftover int

const (
	nothing leftover = iota
	empty
	half
	garbage // of full length, with an end that was not written
	all
	leftovers // their number
)

var errCut = errors.New("the power is gone")

func newVolume() *volume { return &volume{MapFS: fstest.MapFS{}, free: 1 << 30} }

// again is the volume after the power came back.
func (v *volume) again() *volume {
	return &volume{MapFS: maps.Clone(v.MapFS), free: v.free}
}

// step counts an operation and reports whether the power goes at it.
func (v *volume) step() bool {
	v.ops++
	cut := v.ops == v.cutAt
	v.dead = v.dead || cut
	return cut
}

func (v *volume) Create(name string, size int64, r io.Reader) error {
	if _, ok := v.MapFS[name]; ok {
		return fs.ErrExist
	}
	data, err := io.ReadAll(r)
	if err != nil || int64(len(data)) != size {
		return errors.Join(err, errors.New("wrong size"))
	}
	was := v.dead
	cut := v.step()
	if was {
		return errCut
	}
	if cut {
		switch v.left {
		case nothing:
			return errCut
		case empty:
			data = nil
		case half:
			data = data[:len(data)/2]
		case garbage:
			data = append(bytes.Clone(data[:len(data)/2]), make([]byte, len(data)-len(data)/2)...)
		}
	}
	v.MapFS[name] = &fstest.MapFile{Data: data}
	if cut {
		return errCut
	}
	return nil
}

func (v *volume) Remove(name string) error {
	was := v.dead
	cut := v.step()
	if was || cut && v.left == nothing {
		return errCut
	}
	if _, ok := v.MapFS[name]; !ok {
		return fs.ErrNotExist
	}
	delete(v.MapFS, name)
	if cut {
		return errCut
	}
	return nil
}

func (v *volume) FreeBytes() (int64, error) { return v.free, nil }

func (v *volume) store() []string {
	var names []string
	for name := range v.MapFS {
		names = append(names, path.Base(name))
	}
	slices.Sort(names)
	return names
}

// system is a kernel and an initrd that were booted.
func system(name string) (Source, map[string]string) {
	content := map[string]string{"linux": "kernel " + name, "initrd": strings.Repeat("initrd "+name, 50)}
	return Source{
		Entry: name,
		Booted: Booted{
			Title: "System " + name, Options: "root=" + name,
			Kernel: booted("linux", content["linux"]), Initrd: booted("initrd", content["initrd"]),
		},
		Open: func(p BootedPart) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(content[p.Paths[0]])), nil
		},
	}, content
}

func booted(path, content string) BootedPart {
	return BootedPart{Paths: []string{path}, Slot: noSlot, LengthBytes: int64(len(content)), SHA256: Sum([]byte(content))}
}

func unused(string) bool { return false }

func take(t *testing.T, v *volume, name string) Snapshot {
	t.Helper()
	src, _ := system(name)
	s, made, err := Take(v, src, unused)
	if err != nil || !made {
		t.Fatalf("take %s: made %v, %v", name, made, err)
	}
	if err := Verify(v, nil, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTakeAndPromote(t *testing.T) {
	v := newVolume()
	s := take(t, v, "a")
	if all, problems := List(v); len(all) != 1 || all[0] != s || problems != nil {
		t.Fatalf("%+v, %v", all, problems)
	}
	for i, want := range []bool{true, false} {
		if promoted, err := Promote(v, s.ID()); promoted != want || err != nil {
			t.Errorf("promotion %d: %v, %v", i+1, promoted, err)
		}
	}
	all, _ := List(v)
	if len(all) != 1 || all[0].State != Stable || len(v.store()) != 3 {
		t.Errorf("%+v in %v", all, v.store())
	}
	ops := v.ops
	src, _ := system("a")
	if again, made, err := Take(v, src, unused); made || err != nil || again.ID() != s.ID() || v.ops != ops {
		t.Errorf("the same again: made %v, %v, %d writes", made, err, v.ops-ops)
	}
}

func TestTakeRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(v *volume, src *Source, content map[string]string)
		says  string
	}{
		{"changed kernel", func(_ *volume, _ *Source, c map[string]string) { c["linux"] = "kernel A" }, "changed since it was booted"},
		{"shorter initrd", func(_ *volume, _ *Source, c map[string]string) { c["initrd"] = "i" }, "changed since it was booted"},
		{"no room", func(v *volume, _ *Source, _ map[string]string) { v.free = 1000 }, "recovery drop"},
		{"no kernel", func(_ *volume, s *Source, _ map[string]string) { s.Booted.Kernel = BootedPart{} }, "no kernel"},
		{"command line", func(_ *volume, s *Source, _ map[string]string) { s.Booted.Options = strings.Repeat("x", MaxOptions+1) }, "command line"},
		{"unreadable", func(_ *volume, s *Source, _ map[string]string) {
			s.Open = func(BootedPart) (io.ReadCloser, error) { return nil, fs.ErrPermission }
		}, "permission"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVolume()
			src, content := system("a")
			c.spoil(v, &src, content)
			if _, made, err := Take(v, src, unused); made || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("made %v, %v; want %q", made, err, c.says)
			}
			if len(v.MapFS) != 0 {
				t.Errorf("left behind: %v", v.store())
			}
		})
	}
}

func TestTheOldestUnusedGivesWay(t *testing.T) {
	v := newVolume()
	first := take(t, v, "first")
	if _, err := Promote(v, first.ID()); err != nil {
		t.Fatal(err)
	}
	kept := take(t, v, "kept")
	inUse := func(part string) bool { return part == kept.Kernel.FileName() }
	for _, name := range []string{"3", "4", "5", "6", "7"} {
		src, _ := system(name)
		if _, _, err := Take(v, src, inUse); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	all, problems := List(v)
	for _, s := range all {
		names = append(names, s.Entry)
	}
	// first is the newest stable one, kept is what an entry starts.
	if want := []string{"first", "7", "6", "5", "kept"}; !slices.Equal(names, want) || problems != nil {
		t.Errorf("%v, %v; want %v", names, problems, want)
	}
}

func TestDrop(t *testing.T) {
	v := newVolume()
	a, b := take(t, v, "a"), take(t, v, "b")
	if err := Drop(v, a.ID(), unused); err != nil {
		t.Fatal(err)
	}
	if all, _ := List(v); len(all) != 1 || all[0].ID() != b.ID() || len(v.MapFS) != 3 {
		t.Errorf("%+v in %v", all, v.store())
	}
	if err := Drop(v, a.ID(), unused); err == nil {
		t.Error("what is not there is dropped")
	}
	if err := Drop(v, b.ID(), func(part string) bool { return part == b.Kernel.FileName() }); err != nil || len(v.MapFS) != 1 {
		t.Errorf("an entry's kernel: %v, left %v", err, v.store())
	}
}

func TestNewerManifestsAndTheirPartsAreLeftAlone(t *testing.T) {
	v := newVolume()
	s := take(t, v, "a")
	name := path.Join(Dir, s.Name())
	v.MapFS[name].Data[offVersion]++
	reseal(v.MapFS[name].Data)
	take(t, v, "b")
	if _, ok := v.MapFS[name]; !ok || v.MapFS[path.Join(Dir, s.Kernel.FileName())] == nil {
		t.Errorf("left are %v", v.store())
	}
}

// update is what the runtime does in one boot: it takes a snapshot and makes it
// stable.
type update func(v Volume, src Source) error

func takeAndPromote(v Volume, src Source) error {
	s, _, err := Take(v, src, unused)
	if err != nil {
		return err
	}
	_, err = Promote(v, s.ID())
	return err
}

// manifestFirst writes the manifest before what it promises.
func manifestFirst(v Volume, src Source) error {
	s := Snapshot{
		Sequence: 9, State: Stable, Entry: src.Entry, Title: src.Booted.Title, Options: src.Booted.Options,
		Kernel: storedPart(src.Booted.Kernel), Initrd: storedPart(src.Booted.Initrd),
	}
	if err := removeIfThere(v, path.Join(Dir, s.Name())); err != nil {
		return err
	}
	if err := createManifest(v, s); err != nil {
		return err
	}
	for _, part := range []struct {
		booted BootedPart
		stored Part
	}{{src.Booted.Kernel, s.Kernel}, {src.Booted.Initrd, s.Initrd}} {
		if err := copyPart(v, src, "part", part.booted, part.stored); err != nil {
			return err
		}
	}
	return nil
}

// replaceInPlace has room for one snapshot: the old one goes, the new one comes.
func replaceInPlace(v Volume, src Source) error {
	all, _ := List(v)
	for _, s := range all {
		if err := Drop(v, s.ID(), unused); err != nil {
			return err
		}
	}
	return takeAndPromote(v, src)
}

// sweep cuts the power at every operation of an update, with all that may be left
// of a file, and again at every operation of the update after it. It returns what
// went wrong first.
func sweep(t *testing.T, update update) string {
	t.Helper()
	start := newVolume()
	if _, err := Promote(start, take(t, start, "old").ID()); err != nil {
		t.Fatal(err)
	}
	src, _ := system("new")
	whole := start.again()
	if err := update(whole, src); err != nil {
		return err.Error()
	}
	for cut := 1; cut <= whole.ops; cut++ {
		for left := range leftovers {
			v := start.again()
			v.cutAt, v.left = cut, left
			_ = update(v, src)
			if problem := usable(v); problem != "" {
				return problem
			}
			for again := 1; again <= whole.ops+2; again++ {
				second := v.again()
				second.cutAt, second.left = again, left
				_ = update(second, src)
				if problem := usable(second); problem != "" {
					return "after a second cut: " + problem
				}
			}
			v = v.again()
			if err := update(v, src); err != nil {
				return "the update after a cut: " + err.Error()
			}
			if all, _ := List(v); len(all) != 2 || len(v.MapFS) != 6 {
				return "leftovers: " + strings.Join(v.store(), " ")
			}
		}
	}
	return ""
}

// usable says what is wrong if there is no stable snapshot, or one that is not
// whole.
func usable(v *volume) string {
	stable := 0
	all, _ := List(v)
	for _, s := range all {
		if s.State != Stable {
			continue
		}
		stable++
		if err := Verify(v, nil, s); err != nil {
			return "a stable snapshot is not whole: " + err.Error()
		}
	}
	if stable == 0 {
		return "no stable snapshot is left: " + strings.Join(v.store(), " ")
	}
	return ""
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	if problem := sweep(t, takeAndPromote); problem != "" {
		t.Error(problem)
	}
}

// TestNaiveUpdatesFail shows that the sweep sees what it is there for.
func TestNaiveUpdatesFail(t *testing.T) {
	for name, update := range map[string]update{"manifest first": manifestFirst, "in place": replaceInPlace} {
		if problem := sweep(t, update); problem == "" {
			t.Errorf("%s: the sweep sees nothing", name)
		} else {
			t.Logf("%s: %s", name, problem)
		}
	}
}
