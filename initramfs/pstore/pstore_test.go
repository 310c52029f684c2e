package pstore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rayos/rayboot/initramfs/pstore"
)

func file(text string, at int) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(text), ModTime: time.Unix(int64(at), 0).UTC()}
}

func TestRead(t *testing.T) {
	dumps, problems := pstore.Read(fstest.MapFS{
		"dmesg-efi_pstore-170000000002001": file("Panic#2 Part2\n<6>[    1.0] first\n", 1001),
		"dmesg-efi_pstore-170000000001001": file("Panic#2 Part1\n<0>[    2.0] Kernel panic - not syncing: test\n", 1000),
		"dmesg-efi_pstore-160000000001001": file("Panic#2 Part1\n<0>[    9.0] of an earlier boot\n", 500),
		"dmesg-erst-6979":                  file("Oops#1 Part1\n<4>[    3.0] oops\n", 999),
		"console-ramoops-0":                file("no dump", 999),
		"dmesg-short":                      file("Panic#1 Part1\n", 999),
		"dmesg-erst-1":                     file("compressed rubbish", 999),
		"dmesg-erst-2":                     file("Panic#x Part1\n", 999),
	})
	want := []pstore.Dump{
		{Backend: "efi_pstore", Reason: "Panic", Time: time.Unix(500, 0).UTC(), Text: "<0>[    9.0] of an earlier boot\n", Files: []string{"dmesg-efi_pstore-160000000001001"}},
		{Backend: "erst", Reason: "Oops", Time: time.Unix(999, 0).UTC(), Text: "<4>[    3.0] oops\n", Files: []string{"dmesg-erst-6979"}},
		{
			Backend: "efi_pstore", Reason: "Panic", Time: time.Unix(1001, 0).UTC(),
			Text:  "<6>[    1.0] first\n<0>[    2.0] Kernel panic - not syncing: test\n",
			Files: []string{"dmesg-efi_pstore-170000000002001", "dmesg-efi_pstore-170000000001001"},
		},
	}
	if len(problems) > 0 || !reflect.DeepEqual(dumps, want) {
		t.Errorf("dumps %+v\nwant  %+v\nproblems %v", dumps, want, problems)
	}
}

func TestReadWithoutFileSystem(t *testing.T) {
	if dumps, problems := pstore.Read(os.DirFS(filepath.Join(t.TempDir(), "none"))); len(dumps) > 0 || len(problems) != 1 || !errors.Is(problems[0], fs.ErrNotExist) {
		t.Errorf("dumps %v, problems %v", dumps, problems)
	}
}

func TestLimits(t *testing.T) {
	files := fstest.MapFS{"dmesg-erst-0": file("Panic#1 Part1\n"+strings.Repeat("x", 2*pstore.MaxFileBytes), 1)}
	for i := range pstore.MaxFiles {
		files["other-"+strings.Repeat("y", i+1)] = file("", 1)
	}
	dumps, problems := pstore.Read(files)
	if len(problems) != 1 || len(dumps) != 1 || len(dumps[0].Text) > pstore.MaxFileBytes {
		t.Errorf("%d dumps, problems %v", len(dumps), problems)
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	name := "dmesg-erst-1"
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := pstore.Dump{Files: []string{name, "dmesg-erst-gone"}}
	if err := d.Remove(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("dmesg-efi_pstore-1", "Panic#1 Part1\ntext", "dmesg-efi_pstore-2", "Panic#1 Part2\ntext")
	f.Add("dmesg-erst-1", "Oops#-1 Part99999999999999999999", "dmesg--", "#")
	f.Fuzz(func(t *testing.T, name1, text1, name2, text2 string) {
		files := fstest.MapFS{}
		for name, text := range map[string]string{name1: text1, name2: text2} {
			if !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") {
				t.Skip("no file name")
			}
			files[name] = file(text, 1)
		}
		dumps, _ := pstore.Read(files)
		total := 0
		for _, d := range dumps {
			if d.Reason == "" || len(d.Files) == 0 {
				t.Errorf("dump %+v", d)
			}
			total += len(d.Text)
		}
		if total > len(text1)+len(text2) {
			t.Errorf("%d bytes out of %d", total, len(text1)+len(text2))
		}
	})
}
