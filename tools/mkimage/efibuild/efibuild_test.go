package efibuild

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rayos/rayboot/efi/pecoff"
)

// workspace unpacks testdata/workspace.txtar: a stand-in for this module whose
// goefi has nothing but an entry point, and a module app that uses it.
func workspace(t *testing.T) (app string) {
	t.Helper()
	a, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := txtar.Write(a, dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "app")
}

func mustBuild(t *testing.T, opts Options) *pecoff.Image {
	t.Helper()
	var stderr bytes.Buffer
	opts.Stderr = &stderr
	name, err := Build(t.Context(), opts)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if name != opts.Output {
		t.Fatalf("wrote %s, want %s", name, opts.Output)
	}
	img, err := pecoff.Parse(readFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBuildCommandOfAnotherModule(t *testing.T) {
	app := workspace(t)
	out := filepath.Join(t.TempDir(), "hello.efi")
	img := mustBuild(t, Options{Dir: app, Package: "./cmd/hello", Output: out})
	if img.Machine != 0x8664 {
		t.Errorf("machine %#x", img.Machine)
	}
	if !bytes.Contains(readFile(t, out), []byte("built for firmware")) {
		t.Error("the build tag uefi was not set")
	}
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestBuildOptionsReachTheProgram(t *testing.T) {
	app := workspace(t)
	out := filepath.Join(t.TempDir(), "hello.efi")
	sbat := pecoff.DefaultSBAT("1.2.3")
	img := mustBuild(t, Options{
		Dir: app, Package: "example.com/app/cmd/hello", Output: out, Arch: "arm64", Entry: "_rt0_arm64_uefi",
		Tags: []string{"loud"}, LDFlags: "-X main.version=v4.5.6", SBAT: sbat,
	})
	if img.Machine != 0xaa64 {
		t.Errorf("machine %#x", img.Machine)
	}
	s, ok := img.Section(".sbat")
	if !ok || !bytes.Equal(img.Data(s), sbat) {
		t.Errorf(".sbat holds %q", img.Data(s))
	}
	b := readFile(t, out)
	for _, want := range []string{"HELLO", "v4.5.6"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %q in the program", want)
		}
	}
}

func TestBuildDependsOnTheSourcesOnly(t *testing.T) {
	var images [2][]byte
	for i := range images {
		out := filepath.Join(t.TempDir(), "hello.efi")
		mustBuild(t, Options{Dir: workspace(t), Package: "./cmd/hello", Output: out})
		images[i] = readFile(t, out)
		t.Setenv("GOAMD64", "v3")
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Error("the same sources in two places gave two images")
	}
}

func TestBuildErrors(t *testing.T) {
	app := workspace(t)
	tests := []struct {
		name string
		opts Options
		want string // in the error
		says string // in what the Go tool says
	}{
		{"without goefi", Options{Package: "./cmd/plain"}, `import _ "github.com/rayos/rayboot/efi/goefi"`, ""},
		{"library", Options{Package: "./lib"}, "package lib is a library", ""},
		{"two commands", Options{Package: "./cmd/..."}, "several packages", ""},
		{"no such directory", Options{Package: "./cmd/nix"}, "find command ./cmd/nix: go list", "directory not found"},
		{"does not compile", Options{Package: "./broken"}, "build ./broken: go build", "undefined: nix"},
		{"architecture", Options{Package: "./cmd/hello", Arch: "arm64"}, "does not run on arm64", ""},
		{"no Go tool", Options{Package: "./cmd/hello", GoTool: "no-such-go"}, "install Go", ""},
		{"no such entry", Options{Package: "./cmd/hello", Entry: "nix"}, "go build", `missing entry symbol "nix"`},
		{"flag as package", Options{Package: "-n"}, "find command -n", ""},
		{"stripped", Options{Package: "./cmd/hello", LDFlags: "-s"}, "link without -s", ""},
		{"SBAT", Options{Package: "./cmd/hello", SBAT: []byte("x")}, "check SBAT", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			test.opts.Dir, test.opts.Stderr = app, &stderr
			test.opts.Output = filepath.Join(t.TempDir(), "x.efi")
			_, err := Build(t.Context(), test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if !strings.Contains(stderr.String(), test.says) {
				t.Errorf("the Go tool said %q, want %q", stderr.Bytes(), test.says)
			}
			if names := filesIn(t, filepath.Dir(test.opts.Output)); len(names) > 0 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
}

func TestBuildStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Build(ctx, Options{Dir: workspace(t), Package: "./cmd/hello", Output: filepath.Join(t.TempDir(), "x.efi")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestReplaceFileWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.efi")
	for _, content := range []string{"old", "new"} {
		if err := replaceFile(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, name); string(got) != content {
			t.Errorf("holds %q, want %q", got, content)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(filepath.Join(dir, "full"), nil); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if err := replaceFile(filepath.Join(dir, "none", "x.efi"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if names := filesIn(t, dir); len(names) != 2 {
		t.Errorf("left behind: %v", names)
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
