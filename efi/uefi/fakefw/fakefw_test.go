package fakefw_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

func TestRun(t *testing.T) {
	for want, program := range map[fakefw.How]func(sys *uefi.System){
		fakefw.Returned: func(*uefi.System) {},
		fakefw.Reset:    func(sys *uefi.System) { t.Error(sys.Reset(uefi.ResetWarm)) },
		fakefw.Waiting: func(sys *uefi.System) {
			_, _, err := sys.ConIn().WaitKey(-1)
			t.Error("a key came that nobody pressed", err)
		},
	} {
		fw := fakefw.New()
		defer fw.Close()
		if end := fw.Run(func() { program(fw.System()) }); end.How != want {
			t.Errorf("the program %v, want %v", end.How, want)
		}
	}
}

func TestRunPassesPanicsOn(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("recovered %v", p)
		}
	}()
	fw.Run(func() { panic("mine") })
}

func TestFailCall(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	out := fw.System().ConOut()
	fw.FailCall(2, uefi.ErrTimeout)
	var failed []int
	for i := 1; i <= 4; i++ {
		if err := out.OutputString(fmt.Sprint(i)); errors.Is(err, uefi.ErrTimeout) {
			failed = append(failed, i)
		}
	}
	if fmt.Sprint(failed) != "[2]" || fw.Screen().String() != "134" {
		t.Errorf("calls %v failed, the screen is %q", failed, fw.Screen())
	}
	if log := fw.CallLog(); len(log) != fw.Calls() || log[len(log)-1] != "ConOut.OutputString" {
		t.Errorf("call log is %q", log)
	}
}

func TestLeaks(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	v := fw.AddVolume(fakefw.Files{"f": "x"})
	fsys, err := fw.System().FileSystem(v.Handle)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fw.System().AllocatePages(4097); err != nil {
		t.Fatal(err)
	}
	if got, want := fw.Leaks(), `["8192 bytes of pages" "open file \"f\""]`; fmt.Sprintf("%q", got) != want {
		t.Errorf("leaks %q, want %s", got, want)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestScreenWrapsAndScrolls(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	for i := range 26 {
		if _, err := fmt.Fprintf(fw.System().ConOut(), "line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := fw.System().ConOut().OutputString(strings.Repeat("x", 79) + "y\b\bz"); err != nil {
		t.Fatal(err)
	}
	s := fw.Screen()
	if s.Line(0) != "line 3" || s.Line(22) != "line 25" || s.Line(23) != strings.Repeat("x", 79)+"y" || s.Line(24) != "z" {
		t.Errorf("screen is\n%s", s)
	}
	if !strings.HasPrefix(fw.Transcript(), "line 0\nline 1\n") {
		t.Errorf("transcript begins with %.20q", fw.Transcript())
	}
}

func TestSparse(t *testing.T) {
	var s fakefw.Sparse
	data := bytes.Repeat([]byte("rayos"), 50_000)
	for _, offset := range []int64{3, 1 << 40} {
		if n, err := s.WriteAt(data, offset); n != len(data) || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		got := make([]byte, len(data)+6)
		if n, err := s.ReadAt(got, offset-3); n != len(got) || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if want := "\x00\x00\x00" + string(data) + "\x00\x00\x00"; string(got) != want {
			t.Errorf("at %d: other bytes than were written", offset)
		}
	}
}

func TestReadFileWantsFlush(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	v := fw.AddVolume(fakefw.Files{"f": "old"})
	fsys, err := fw.System().FileSystem(v.Handle)
	if err != nil {
		t.Fatal(err)
	}
	fw.Override("File.Flush", func([]uintptr) uefi.Status { return uefi.Success })
	if err := fsys.WriteAt("f", []byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a file that was never flushed counts as written")
		}
	}()
	v.ReadFile("f")
}
