package esp

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseType1(t *testing.T) {
	const text = "\ufeff# RayOS\r\n" +
		"title      RayOS \t 1.0\r\n" +
		"version\t1.0\r\n" +
		"machine-id 4098b3f648d74c13b1f04ccfba7798e8\r\n" +
		"sort-key rayos\r\n" +
		"\r\n" +
		"  linux  /EFI/rayos//vmlinuz-6.1\r\n" +
		"initrd /EFI/rayos/initrd-6.1.img\r\n" +
		"initrd \\EFI\\rayos\\.\\more files.img\r\n" +
		"options console=tty0\tconsole=ttyS0,115200\r\n" +
		"options quiet  x=\"a b\"\r\n" +
		"devicetree board.dtb\r\n" +
		"architecture x64\r\n" +
		"grub_users $grub_users\r\n" +
		"title\r\n" +
		"x-rayos-role recovery\r\n" +
		"x-rayos-slot 0\r\n" +
		"x-rayos-slot 1"
	got, err := ParseType1("RayOS+03-0.conf", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	file, err := ParseFileName("RayOS+03-0.conf")
	if err != nil {
		t.Fatal(err)
	}
	want := Entry{
		ID: "rayos", LoaderID: "rayos.conf", Kind: Type1, File: file,
		Title: "RayOS   1.0", Version: "1.0", MachineID: "4098b3f648d74c13b1f04ccfba7798e8", SortKey: "rayos",
		Linux:        "EFI/rayos/vmlinuz-6.1",
		Initrd:       []string{"EFI/rayos/initrd-6.1.img", "EFI/rayos/more files.img"},
		Options:      `console=tty0 console=ttyS0,115200 quiet  x="a b"`,
		DeviceTree:   "board.dtb",
		Architecture: "x64",
		Private:      []Private{{"x-rayos-role", "recovery"}, {"x-rayos-slot", "0"}, {"x-rayos-slot", "1"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if v, ok := got.PrivateValue("x-rayos-slot"); v != "1" || !ok {
		t.Errorf("PrivateValue = %q, %v, want the last line's", v, ok)
	}
	if v, ok := got.PrivateValue("x-rayos-none"); ok {
		t.Errorf("PrivateValue of a key that is not there = %q", v)
	}
}

func TestParseType1Image(t *testing.T) {
	for text, want := range map[string]string{
		"linux /a":                     "a",
		"efi \\EFI\\tool.efi":          "EFI/tool.efi",
		"uki EFI/Linux/a.efi":          "EFI/Linux/a.efi",
		"linux /a\nlinux /b":           "b",
		"uki /a\nlinux /b":             "b",
		"linux /a\nefi /b":             "b",
		"efi /a\nuki /b\nprofile 0":    "b",
		"x-rayos-slot 1":               "",
		"linux /a\nuki-url http://x/y": "a",
	} {
		if e, err := ParseType1("a.conf", []byte(text)); err != nil || e.Image() != want {
			t.Errorf("%q: image %q, %v; want %q", text, e.Image(), err, want)
		}
	}
}

func TestParseType1Printable(t *testing.T) {
	e, err := ParseType1("a.conf", []byte("linux /a\ntitle \x1b[2J\x07Ray\xffOS \u202egnp.exe\u200b \u0085é 日本\n"+
		"version "+strings.Repeat("é", 1000)+"\nx-rayos-\x1b \x1b\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "?[2J?Ray?OS ?gnp.exe? ?é 日本"; e.Title != want {
		t.Errorf("title is %q, want %q", e.Title, want)
	}
	if want := strings.Repeat("é", maxTextRunes-3) + "..."; e.Version != want {
		t.Errorf("version is %q", e.Version)
	}
	if want := (Private{"x-rayos-?", "?"}); e.Private[0] != want {
		t.Errorf("private key is %q", e.Private[0])
	}
}

func TestParseType1Refuses(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             error // nil if it has no name
		message          string
	}{
		{"empty", "a.conf", "", ErrNoImage, ""},
		{"title only", "a.conf", "title A\noptions x\n", ErrNoImage, ""},
		{"image without value", "a.conf", "linux\n", ErrNoImage, ""},
		{"URL only", "a.conf", "uki-url http://example.org/a.efi\n", ErrNoImage, ""},
		{"binary", "a.conf", "linux /a\n\x00\x01", ErrNotText, ""},
		{"other profile", "a.conf", "uki /a.efi\nprofile 1\n", ErrUnsupported, "line 2: profile"},
		{"other suffix", "a.cfg", "linux /a\n", nil, "a.cfg"},
		{"long path upwards", "a.conf", "linux /.." + strings.Repeat("/é", 200), nil, strings.Repeat("/é", 28) + `/..." has a ..`},
		{"up", "a.conf", "title A\nlinux /EFI/../../x\n", nil, "line 2: linux: path \"/EFI/../../x\" has a .."},
		{"up with backslashes", "a.conf", "linux /a\ninitrd ..\\x\n", nil, "line 2: initrd"},
		{"root", "a.conf", "linux /\n", nil, "names no file"},
		{"dot", "a.conf", "efi ./.\n", nil, "names no file"},
		{"drive letter", "a.conf", "linux C:\\vmlinuz\n", nil, "no file name can have"},
		{"escape in path", "a.conf", "linux /\x1b[2J\n", nil, "no file name can have"},
		{"invalid UTF-8 in path", "a.conf", "linux /\xff\n", nil, "no file name can have"},
		{"trailing dot in path", "a.conf", "linux /EFI./a\n", nil, "FAT"},
		{"long path", "a.conf", "linux /" + strings.Repeat("a", maxPathBytes), nil, "1025 bytes"},
		{"escape in command line", "a.conf", "linux /a\noptions a\x1b[2J\n", nil, "line 2: options: command line"},
		{"invalid UTF-8 in command line", "a.conf", "linux /a\noptions a\xff\n", nil, "cannot be shown"},
		{"too large", "a.conf", "linux /a\n" + strings.Repeat("#", MaxConfBytes), nil, "at most 65536"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := ParseType1(tt.file, []byte(tt.text))
			if err == nil {
				t.Fatalf("got %+v, want an error", e)
			}
			if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("error is %v, want %v %q", err, tt.want, tt.message)
			}
			if strings.ContainsFunc(err.Error(), isUnprintable) {
				t.Errorf("error %q is not printable", err)
			}
		})
	}
}

func TestFormatType1(t *testing.T) {
	got, err := FormatType1(Entry{
		ID: "rayos", Title: "RayOS", Version: "1.0", SortKey: "rayos", Linux: "EFI/rayos/vmlinuz", Initrd: []string{"a", "b"},
		Options: "quiet", Private: []Private{{"x-rayos-role", "recovery"}},
	})
	want := "title        RayOS\nversion      1.0\nsort-key     rayos\nlinux        /EFI/rayos/vmlinuz\n" +
		"initrd       /a\ninitrd       /b\noptions      quiet\nx-rayos-role recovery\n"
	if err != nil || string(got) != want {
		t.Errorf("FormatType1 = %q, %v; want %q", got, err, want)
	}
	for name, e := range map[string]Entry{
		"no image":               {Title: "A"},
		"two images":             {Linux: "a", EFI: "b"},
		"line break in title":    {Linux: "a", Title: "A\nefi /b"},
		"space around the title": {Linux: "a", Title: " A"},
		"escape in title":        {Linux: "a", Title: "\x1b[2J"},
		"escape in options":      {Linux: "a", Options: "\x1b[2J"},
		"line break in options":  {Linux: "a", Options: "a\nb"},
		"path not clean":         {Linux: "/a"},
		"path upwards":           {Linux: "../a"},
		"private without prefix": {Linux: "a", Private: []Private{{"slot", "1"}}},
		"private without value":  {Linux: "a", Private: []Private{{"x-rayos-slot", ""}}},
		"too large":              {Linux: "a", Options: strings.Repeat("x", MaxConfBytes)},
	} {
		if got, err := FormatType1(e); err == nil {
			t.Errorf("%s: FormatType1 = %q, want an error", name, got)
		}
	}
}

func FuzzParseType1(f *testing.F) {
	f.Add("a+3-0.conf", []byte("title A\nlinux /a\ninitrd /b\ninitrd \\c\noptions x\noptions y\r\nx-rayos-slot 1\n"))
	f.Add("a.conf", []byte("uki /EFI/Linux/a.efi\narchitecture x64\nprofile 0"))
	f.Add("A.CONF", []byte("\ufeffefi a. /b\nversion \xff\x1b\u202e\nmachine-id "+strings.Repeat("x", 300)))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		e, err := ParseType1(name, data)
		if err != nil {
			return
		}
		for _, text := range append([]string{e.Title, e.Version, e.MachineID, e.SortKey, e.Options, string(e.Architecture), e.Image(), e.DeviceTree}, e.Initrd...) {
			if strings.ContainsFunc(text, isUnprintable) {
				t.Errorf("%q is not printable", text)
			}
		}
		text, err := FormatType1(e)
		if err != nil {
			if len(data) > MaxConfBytes/2 { // a "/" more per path can make it too large
				return
			}
			t.Fatalf("%+v: %v", e, err)
		}
		if again, err := ParseType1(name, text); err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("%+v\nwritten as %q is read as\n%+v, %v", e, text, again, err)
		}
	})
}
