package efibuild

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestProgramsOfTheDocument builds the programs that docs/hello-efi.md shows,
// each in a module of its own that replaces rayboot by this checkout.
func TestProgramsOfTheDocument(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	doc := readFile(t, filepath.Join(root, "docs", "hello-efi.md"))
	programs := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(doc, -1)
	if len(programs) != 2 {
		t.Fatalf("the document has %d programs, want 2", len(programs))
	}
	for i, program := range programs {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			dir := t.TempDir()
			module := fmt.Sprintf("module example.com/hello\n\ngo 1.26.0\n\nrequire github.com/rayos/rayboot v0.0.0\n\nreplace github.com/rayos/rayboot => %q\n", root)
			for name, content := range map[string][]byte{"go.mod": []byte(module), "main.go": program[1]} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			img := mustBuild(t, Options{Dir: dir, Output: filepath.Join(dir, "hello.efi")})
			if _, ok := img.Section(".sbat"); !ok {
				t.Error("the image has no .sbat section")
			}
		})
	}
}
