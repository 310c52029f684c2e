package deb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/tools/mkimage/deb/debtest"
)

func readAr(b []byte) (map[string]string, error) {
	members, err := arMembers(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	content := map[string]string{}
	for _, m := range members {
		data, err := io.ReadAll(m.data)
		if err != nil {
			return nil, err
		}
		content[m.name] = string(data)
	}
	return content, nil
}

func TestArMembers(t *testing.T) {
	got, err := readAr(debtest.Ar("debian-binary", "2.0\n", "odd/", "abc", "last", "x"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"debian-binary": "2.0\n", "odd": "abc", "last": "x"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestArAgainstBinutils reads what the real ar has written.
func TestArAgainstBinutils(t *testing.T) {
	tool, err := exec.LookPath("ar")
	if err != nil {
		t.Skip("no ar on this machine (package binutils)")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"debian-binary": "2.0\n", "odd": "12345", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(tool, "qD", "x.deb", "debian-binary", "odd", "empty")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ar: %v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "x.deb"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAr(b)
	if err != nil || got["odd"] != "12345" || got["debian-binary"] != "2.0\n" || len(got) != 3 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestArRefuses(t *testing.T) {
	good := debtest.Ar("debian-binary", "2.0\n")
	many := make([]string, 2*(maxArMembers+1))
	for i := range many {
		many[i] = "m"
	}
	at := func(off int, text string) []byte {
		return append(append(bytes.Clone(good[:off]), text...), good[off+len(text):]...)
	}
	for name, b := range map[string][]byte{
		"empty":              nil,
		"no magic":           []byte("!<thin>\nxxxxxxxx"),
		"header cut off":     good[:30],
		"content cut off":    good[:len(good)-1],
		"no end mark":        at(8+58, "xx"),
		"size no number":     at(8+48, "many"),
		"size negative":      at(8+48, "-2  "),
		"size of 2^63":       at(8+48, "9999999999"),
		"no name":            at(8, "                "),
		"too many members":   debtest.Ar(many...),
		"rubbish at the end": append(bytes.Clone(good), "rubbish"...),
	} {
		if _, err := arMembers(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, want ErrFormat", name, err)
		}
	}
}

func FuzzArMembers(f *testing.F) {
	f.Add(debtest.Ar("debian-binary", "2.0\n", "control.tar.xz", "abc", "data.tar.xz", "1234"))
	f.Add([]byte(arMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		members, err := arMembers(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("error %v is not ErrFormat", err)
			}
			return
		}
		for _, m := range members {
			if n, err := io.Copy(io.Discard, m.data); err != nil || n != m.data.Size() {
				t.Errorf("member %q: %d bytes of %d, %v", m.name, n, m.data.Size(), err)
			}
		}
	})
}
