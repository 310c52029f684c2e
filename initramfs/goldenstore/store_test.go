package goldenstore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/initramfs/goldenstore"
)

// mount is the mount of a directory: it says what it was asked for.
type mount struct {
	readOnly bool
	asked    []bool // remounts, true for read-only
	err      error
}

func (m *mount) ReadOnly() (bool, error) { return m.readOnly, nil }

func (m *mount) Remount(readOnly bool) error {
	m.asked = append(m.asked, readOnly)
	if m.err != nil {
		return m.err
	}
	m.readOnly = readOnly
	return nil
}

func newStore(t *testing.T) (goldenstore.Store, *mount) {
	t.Helper()
	m := &mount{readOnly: true}
	s := goldenstore.New(t.TempDir(), "", m)
	if err := os.MkdirAll(filepath.Join(s.Dir, "EFI/rayos"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s, m
}

const part = golden.Dir + "/part.bin"

func create(v golden.Volume, content string) error {
	return v.Create(part, int64(len(content)), strings.NewReader(content))
}

func TestChange(t *testing.T) {
	s, m := newStore(t)
	err := s.Change(t.Context(), func(v golden.Volume) error {
		if len(m.asked) > 0 {
			t.Error("the ESP is writable before anything is written")
		}
		if err := create(v, "content"); err != nil {
			return err
		}
		if err := create(v, "other"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("create what exists: %v", err)
		}
		if got, err := fs.ReadFile(v, part); string(got) != "content" {
			t.Errorf("read back %q, %v", got, err)
		}
		if free, err := v.FreeBytes(); free <= 0 || err != nil {
			t.Errorf("%d bytes free, %v", free, err)
		}
		return v.Create(golden.Dir+"/second.bin", 1, strings.NewReader("x"))
	})
	if err != nil || !slices.Equal(m.asked, []bool{false, true}) {
		t.Fatalf("remounts %v, %v", m.asked, err)
	}
	err = s.Change(t.Context(), func(v golden.Volume) error { return v.Remove(part) })
	if _, statErr := os.Stat(filepath.Join(s.Dir, part)); err != nil || !errors.Is(statErr, fs.ErrNotExist) || !m.readOnly {
		t.Errorf("remove: %v, %v, read-only %v", err, statErr, m.readOnly)
	}
}

func TestChangeNothing(t *testing.T) {
	s, m := newStore(t)
	mine := errors.New("mine")
	if err := s.Change(t.Context(), func(golden.Volume) error { return mine }); !errors.Is(err, mine) || len(m.asked) > 0 {
		t.Errorf("%v, remounts %v", err, m.asked)
	}
}

// TestChangeOfAWritableESP leaves a mount writable that a person has made so.
func TestChangeOfAWritableESP(t *testing.T) {
	s, m := newStore(t)
	m.readOnly = false
	if err := s.Change(t.Context(), func(v golden.Volume) error { return create(v, "x") }); err != nil || len(m.asked) > 0 {
		t.Errorf("%v, remounts %v", err, m.asked)
	}
}

func TestChangeOfAnESPThatStaysReadOnly(t *testing.T) {
	s, m := newStore(t)
	m.err = fs.ErrPermission
	if err := s.Change(t.Context(), func(v golden.Volume) error { return create(v, "x") }); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("create: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, golden.Dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written")
	}
}

func TestOnlyOneChangesAtATime(t *testing.T) {
	s, _ := newStore(t)
	err := s.Change(t.Context(), func(golden.Volume) error {
		err := s.Change(canceled(t), func(golden.Volume) error { t.Error("two at a time"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the second one: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Change(t.Context(), func(golden.Volume) error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestReplace(t *testing.T) {
	s, m := newStore(t)
	name := filepath.Join(s.Dir, "EFI/rayos/entry.conf")
	if err := errors.Join(os.WriteFile(name, []byte("old"), 0o644), os.WriteFile(name+".new", []byte("left over"), 0o644)); err != nil {
		t.Fatal(err)
	}
	v := s.Volume(t.Context())
	if err := v.Replace("EFI/rayos/entry.conf", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := s.Change(canceled(t), func(golden.Volume) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("somebody else meanwhile: %v", err)
	}
	if err := v.Close(); err != nil || !m.readOnly {
		t.Errorf("close: %v, read-only %v", err, m.readOnly)
	}
	if got, err := os.ReadFile(name); string(got) != "new" || err != nil {
		t.Errorf("content %q, %v", got, err)
	}
	if all, err := os.ReadDir(filepath.Dir(name)); len(all) != 1 || err != nil {
		t.Errorf("files %v, %v", all, err)
	}
	if err := s.Volume(canceled(t)).Replace("x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestFailedCreateLeavesNothing has sources that end too early, go on too long,
// fail, and that are still being read when the machine is turned off.
func TestFailedCreateLeavesNothing(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		source func(cancel func()) io.Reader
		err    error
	}{
		"short": {func(func()) io.Reader { return strings.NewReader("short") }, nil},
		"long":  {func(func()) io.Reader { return strings.NewReader("much too long for it") }, nil},
		"error": {func(func()) io.Reader { return io.MultiReader(strings.NewReader("x"), failing{broken}) }, broken},
		"power-off": {func(cancel func()) io.Reader {
			return io.MultiReader(strings.NewReader("x"), calling{cancel}, strings.NewReader("123456789"))
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := newStore(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := s.Change(ctx, func(v golden.Volume) error { return v.Create(part, 10, c.source(cancel)) })
			if err == nil || c.err != nil && !errors.Is(err, c.err) || !m.readOnly {
				t.Errorf("error %v, read-only %v", err, m.readOnly)
			}
			if left, err := os.ReadDir(filepath.Join(s.Dir, golden.Dir)); len(left) > 0 || err != nil {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// calling calls when it is read.
type calling struct{ call func() }

func (c calling) Read([]byte) (int, error) { c.call(); return 0, io.EOF }

func TestNamesThatLeaveTheVolume(t *testing.T) {
	s, m := newStore(t)
	_ = s.Change(t.Context(), func(v golden.Volume) error {
		for _, name := range []string{"../x", "/x", "", "."} {
			if err := errors.Join(v.Create(name, 0, strings.NewReader("")), v.Remove(name)); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
		return nil
	})
	if _, err := s.Open(golden.BootedPart{Paths: []string{"../x"}}); !errors.Is(err, fs.ErrInvalid) || len(m.asked) > 0 {
		t.Errorf("open: %v", err)
	}
}

func TestOpen(t *testing.T) {
	s, _ := newStore(t)
	s.Kernel = filepath.Join(s.Dir, "..", "partition")
	for name, content := range map[string]string{"a": "12345", "b": "1234", "../partition": "0123456789"} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		part golden.BootedPart
		want string
	}{
		{golden.BootedPart{Paths: []string{"a"}}, "12345"}, // one alone is not padded
		{golden.BootedPart{Paths: []string{"a", "b", "a"}}, "12345\x00\x00\x00123412345\x00\x00\x00"},
		{golden.BootedPart{Slot: 1, OffsetBytes: 3, LengthBytes: 4}, "3456"},
	} {
		r, err := s.Open(c.part)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, []byte(c.want)) {
			t.Errorf("%+v: %q, %v", c.part, got, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Open(golden.BootedPart{Paths: []string{"a", "c"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
	s.Kernel = ""
	if _, err := s.Open(golden.BootedPart{Slot: 1}); err == nil || !strings.Contains(err.Error(), "kernel slot 1: the boot disk has no RayOS Kernel partition") {
		t.Errorf("no partition: %v", err)
	}
}
