package rayboot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/rayos/rayboot"

// A layer says what one room may import. Every package of the module belongs
// to the room with the longest matching path. Changing this table needs an ADR.
type layer struct {
	room  string
	pure  bool     // no unsafe, os or syscall, no clock, no goroutine, no adapter
	rooms []string // rooms it may import besides itself
	other []string // modules outside std that it may import
}

var layers = []layer{
	{room: "markers", pure: true},
	{room: "gpt", pure: true},
	{room: "esp", pure: true},
	{room: "golden", pure: true},
	{room: "raylog", pure: true},
	{room: "raylog/timeline", pure: true, rooms: []string{"markers", "raylog"}},
	{room: "bootmenu", pure: true, rooms: []string{"esp", "golden", "markers"}},
	{room: "bootmenu/control", pure: true, rooms: []string{"bootmenu", "esp", "golden", "gpt", "markers"}},
	{room: "bootmenu/control/cli", rooms: []string{"bootmenu/control"}, other: []string{"github.com/spf13/cobra"}},

	{room: "diskstate", rooms: []string{"bootmenu", "bootmenu/control", "efi/pecoff", "esp", "golden", "gpt", "raylog"}, other: []string{"golang.org/x/sys"}},
	{room: "inspect", rooms: []string{"bootmenu", "bootmenu/control", "diskstate", "efi/pecoff", "esp", "golden", "gpt", "guest", "raylog"}},

	{room: "installer", rooms: []string{"gpt", "inspect", "installer/plan", "installer/signature", "installer/table"}, other: []string{"golang.org/x/sys"}},
	{room: "installer/signature", pure: true, rooms: []string{"gpt"}},
	{room: "installer/plan", pure: true, rooms: []string{"gpt", "installer/signature"}},
	{room: "installer/table", pure: true, rooms: []string{"gpt"}},
	{room: "installer/content", pure: true, rooms: []string{"bootmenu", "esp", "golden", "gpt", "guest", "installer"}},
	{room: "installer/upgrade", pure: true, rooms: []string{"bootmenu", "bootmenu/control", "esp", "golden", "gpt"}},
	{room: "installer/answers", rooms: []string{"installer/layout", "installer/plan"}, other: []string{"github.com/BurntSushi/toml"}},
	{room: "installer/layout", rooms: []string{"gpt", "installer/plan"}, other: []string{"github.com/BurntSushi/toml"}},

	{room: "guest", pure: true},
	{room: "guest/settings", rooms: []string{"guest"}, other: []string{"github.com/BurntSushi/toml"}},
	{room: "guest/preflight", rooms: []string{"guest"}},
	{room: "presentation/qmp"},
	{room: "presentation", pure: true, rooms: []string{"markers"}},
	{room: "presentation/display", rooms: []string{"markers", "presentation"}},
	{room: "presentation/growth"},
	{room: "presentation/guestmem", other: []string{"golang.org/x/sys"}},
	{room: "presentation/virtqueue", rooms: []string{"presentation", "presentation/guestmem"}},
	{room: "presentation/virtgpu", pure: true, rooms: []string{"presentation"}},
	{
		room:  "presentation/vhostgpu",
		rooms: []string{"presentation", "presentation/guestmem", "presentation/virtgpu", "presentation/virtqueue"},
		other: []string{"golang.org/x/sys"},
	},
	{room: "presentation/screendump", rooms: []string{"presentation"}, other: []string{"golang.org/x/sys"}},
	{room: "presentation/ioctl", other: []string{"golang.org/x/sys"}},
	{room: "presentation/canvas", rooms: []string{"presentation"}, other: []string{"golang.org/x/image"}},
	{room: "presentation/console", other: []string{"golang.org/x/sys"}},
	{room: "presentation/kms", rooms: []string{"presentation", "presentation/canvas", "presentation/console", "presentation/ioctl"}, other: []string{"golang.org/x/sys"}},
	{room: "presentation/fbdev", rooms: []string{"presentation", "presentation/canvas", "presentation/console", "presentation/ioctl"}, other: []string{"golang.org/x/sys"}},
	{room: "presentation/input", rooms: []string{"presentation/ioctl", "presentation/qmp"}, other: []string{"golang.org/x/sys"}},
	{room: "presentation/picture", rooms: []string{"presentation"}},
	{room: "presentation/screen", rooms: []string{"presentation", "presentation/console", "presentation/fbdev", "presentation/kms", "presentation/picture"}},

	{room: "efi/pecoff"},
	{room: "efi/bootoption", pure: true, rooms: []string{"gpt"}},
	{room: "efi/goefi"},
	{room: "efi/uefi", rooms: []string{"efi/goefi"}},
	{room: "efi/watchdog"},
	{room: "efi/examples", rooms: []string{"efi/goefi", "efi/uefi"}},
	{room: "efi/cmd/rayboot", rooms: []string{"bootmenu", "efi/goefi", "efi/pecoff", "efi/uefi", "efi/watchdog", "esp", "golden", "gpt", "markers", "raylog"}},

	{
		room: "initramfs",
		rooms: []string{
			"bootmenu", "bootmenu/control", "bootmenu/control/cli", "efi/bootoption", "esp", "golden", "gpt", "guest", "initramfs/guests/host", "inspect", "installer", "installer/answers",
			"installer/content", "installer/layout", "installer/plan", "markers", "presentation/console", "raylog",
		},
		other: []string{"github.com/spf13/cobra", "github.com/u-root/u-root", "golang.org/x/sys", "golang.org/x/term", "mvdan.cc/sh/v3"},
	},
	{
		room: "initramfs/guests/host",
		rooms: []string{
			"gpt", "guest", "guest/preflight", "guest/settings", "initramfs", "installer/signature", "markers", "presentation", "presentation/display", "presentation/input", "presentation/picture",
			"presentation/qmp", "presentation/screen", "presentation/screendump", "presentation/vhostgpu",
		},
		other: []string{"golang.org/x/sys"},
	},
	{
		room:  "tools",
		rooms: []string{"bootmenu", "bootmenu/control", "bootmenu/control/cli", "diskstate", "efi/pecoff", "esp", "golden", "gpt", "guest", "guest/preflight", "guest/settings", "inspect", "installer", "installer/content", "installer/layout", "installer/plan", "installer/signature", "installer/table", "installer/upgrade", "markers", "presentation", "presentation/console", "presentation/display", "presentation/picture", "presentation/qmp", "presentation/screen", "presentation/vhostgpu", "raylog", "raylog/timeline"},
		other: []string{
			"github.com/diskfs/go-diskfs", "github.com/klauspost/compress", "github.com/schollz/progressbar/v3",
			"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/u-root/u-root", "github.com/ulikunitz/xz", "golang.org/x/sys", "golang.org/x/term",
		},
	},
	{room: "tools/bench-log", rooms: []string{"gpt", "initramfs", "raylog"}, other: []string{"golang.org/x/sys"}},
	{room: "ovmf-tests/apps", rooms: []string{"bootmenu", "efi/goefi", "efi/uefi", "efi/watchdog", "esp", "markers"}},
	{room: "ovmf-tests", rooms: []string{"bootmenu", "diskstate", "efi/bootoption", "esp", "golden", "gpt", "guest", "guest/preflight", "inspect", "markers", "presentation", "presentation/canvas", "presentation/console", "presentation/display", "presentation/input", "presentation/ioctl", "presentation/picture", "presentation/qmp", "presentation/screen", "presentation/screendump", "presentation/vhostgpu", "presentation/virtgpu", "raylog", "tools"}, other: []string{"golang.org/x/sys", "golang.org/x/term"}},
}

// unsafeRooms are the only places where unsafe and assembly may stand.
var unsafeRooms = []string{"efi/goefi", "efi/uefi", "ovmf-tests/apps", "presentation/guestmem", "presentation/ioctl"}

// forbiddenInPure are the ways out of a pure package.
var forbiddenInPure = []string{"unsafe", "os", "os/exec", "syscall", "net", "runtime", "sync"}

// clock are the functions of package time that read or wait for the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	SFiles     []string
}

// packages lists the module's packages as the given build tags show them.
func packages(t *testing.T, tags string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,SFiles", "-tags", tags, "./...")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// within reports whether path is the room, or lies below it.
func within(path, room string) bool {
	return path == room || strings.HasPrefix(path, room+"/")
}

// layerOf finds the row of the table for a package path of the module.
func layerOf(path string) (layer, bool) {
	var best layer
	for _, l := range layers {
		if within(path, l.room) && len(l.room) > len(best.room) {
			best = l
		}
	}
	return best, best.room != ""
}

func (l layer) mayImport(path string) bool {
	if in, ok := strings.CutPrefix(path, module+"/"); ok {
		target, ok := layerOf(in)
		return ok && (target.room == l.room || slices.Contains(l.rooms, target.room))
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return !l.pure || !slices.Contains(forbiddenInPure, path)
	}
	return slices.ContainsFunc(l.other, func(m string) bool { return within(path, m) })
}

func TestLayers(t *testing.T) {
	for _, tags := range []string{"", "uefi", "ovmf", "bundled"} {
		for _, p := range packages(t, tags) {
			path, ok := strings.CutPrefix(p.ImportPath, module+"/")
			if !ok {
				continue // the root, which holds this test and nothing else
			}
			l, ok := layerOf(path)
			if !ok {
				t.Errorf("package %s belongs to no room of the table in layers_test.go", path)
				continue
			}
			for _, imp := range p.Imports {
				if !l.mayImport(imp) {
					t.Errorf("room %s: package %s must not import %s", l.room, path, imp)
				}
			}
			if l.pure {
				checkPure(t, p)
			}
		}
	}
}

// checkPure looks for the clock and for goroutines in a package's sources.
func checkPure(t *testing.T, p goPackage) {
	t.Helper()
	for _, name := range p.GoFiles {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a pure package starts no goroutine", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: a pure package reads no clock (time.%s)", fset.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestUnsafeAndAssemblyStayInTheirRooms(t *testing.T) {
	allowed := func(path string) bool {
		return slices.ContainsFunc(unsafeRooms, func(room string) bool { return within(path, room) })
	}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "dist" || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case allowed(path):
		case strings.HasSuffix(path, ".s"):
			t.Errorf("%s: assembly outside %v", path, unsafeRooms)
		case strings.HasSuffix(path, ".go") && imports(t, path, "unsafe"):
			t.Errorf("%s: unsafe outside %v", path, unsafeRooms)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// imports reports whether the Go file at path imports the package.
func imports(t *testing.T, path, pkg string) bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == strconv.Quote(pkg) })
}

// TestLayerTable keeps the table itself honest: a rule that lets everything
// through would pass every test above.
func TestLayerTable(t *testing.T) {
	for _, c := range []struct {
		room, imp string
		want      bool
	}{
		{"markers", "strings", true},
		{"markers", "os", false},
		{"markers", module + "/esp", false},
		{"bootmenu", module + "/esp", true},
		{"bootmenu", module + "/efi/uefi", false},
		{"raylog", "sync", false},
		{"raylog", module + "/gpt", false},
		{"raylog", module + "/markers", false},
		{"raylog/timeline", module + "/markers", true},
		{"initramfs", module + "/efi/uefi", false},
		{"initramfs", module + "/tools/mkimage", false},
		{"efi/cmd/rayboot", "github.com/spf13/cobra", false},
		{"efi/cmd/rayboot", module + "/bootmenu/control/cli", false},
		{"bootmenu/control", "github.com/spf13/cobra", false},
		{"tools", "github.com/spf13/cobra", true},
		{"installer/plan", "os", false},
		{"installer/plan", module + "/installer/layout", false},
		{"installer/upgrade", module + "/installer", false},
		{"installer", module + "/tools/mkimage", false},
		{"presentation", "sync", false},
		{"presentation", module + "/markers", true},
		{"presentation", module + "/initramfs", false},
	} {
		l, ok := layerOf(c.room)
		if !ok {
			t.Fatalf("no room %s", c.room)
		}
		if got := l.mayImport(c.imp); got != c.want {
			t.Errorf("%s imports %s: allowed %v, want %v", c.room, c.imp, got, c.want)
		}
	}
}
