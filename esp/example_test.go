package esp_test

import (
	"fmt"
	"testing/fstest"

	"github.com/rayos/rayboot/esp"
)

// Everything that a boot menu needs from an ESP.
func Example() {
	root := fstest.MapFS{ // a file system such as os.DirFS("/boot/efi")
		"loader/loader.conf":             {Data: []byte("timeout 5\ndefault rayos.conf\ncolour blue\n")},
		"loader/entries/rayos.conf":      {Data: []byte("title RayOS\nlinux /EFI/rayos/vmlinuz-6.1\ninitrd /EFI/rayos/initrd-6.1.img\noptions quiet\n")},
		"loader/entries/next+3.conf":     {Data: []byte("title RayOS\nversion 6.2\nlinux /EFI/rayos/vmlinuz-6.2\n")},
		"loader/entries/bad+0-3.conf":    {Data: []byte("title Broken\nlinux /EFI/rayos/vmlinuz-6.3\n")},
		"loader/entries/incomplete.conf": {Data: []byte("title Half written")},
	}
	conf, problems := esp.ReadLoaderConf(root)
	entries, more := esp.Discover(root, esp.X64)

	fmt.Println("timeout:", conf.TimeoutSeconds)
	titles := esp.Titles(entries)
	for i, e := range entries {
		fmt.Printf("%s: %s", e.ID, titles[i])
		if esp.MatchID(conf.Default, e.ID) || esp.MatchID(conf.Default, e.LoaderID) {
			fmt.Print(", default")
		}
		if e.File.Counted {
			fmt.Printf(", %d tries left", e.File.TriesLeft)
		}
		fmt.Println()
	}
	for _, p := range append(problems, more...) {
		fmt.Println("problem:", p)
	}
	// Output:
	// timeout: 5
	// rayos: RayOS, default
	// next: RayOS (6.2), 3 tries left
	// bad: Broken, 0 tries left
	// problem: loader/loader.conf: line 3: unknown key "colour"; the line is ignored
	// problem: loader/entries/incomplete.conf: has no linux, efi or uki line; the entry is skipped
}

// Before a counted entry is started its file is renamed; when its boot was good
// it is renamed again.
func ExampleFileName() {
	name, err := esp.ParseFileName("rayos+03-0.conf")
	if err != nil {
		fmt.Println(err)
		return
	}
	next, _ := name.NextTry()
	fmt.Println(next, next.Blessed(), next.LoaderID())
	// Output: rayos+02-1.conf rayos.conf rayos.conf
}

func ExampleFormatType1() {
	text, err := esp.FormatType1(esp.Entry{
		Title:   "RayOS",
		Version: "6.1.0-18-amd64",
		SortKey: "rayos",
		Linux:   esp.KernelPath("6.1.0-18-amd64"),
		Initrd:  []string{esp.InitrdPath("6.1.0-18-amd64")},
		Options: "console=tty0 quiet",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// title        RayOS
	// version      6.1.0-18-amd64
	// sort-key     rayos
	// linux        /EFI/rayos/vmlinuz-6.1.0-18-amd64
	// initrd       /EFI/rayos/initrd-6.1.0-18-amd64.img
	// options      console=tty0 quiet
}

func ExampleCompareVersions() {
	fmt.Println(esp.CompareVersions("6.1.0-9", "6.1.0-10") < 0)
	fmt.Println(esp.CompareVersions("6.2~rc1", "6.2") < 0)
	// Output:
	// true
	// true
}
