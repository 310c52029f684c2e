package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/tools/mkimage/efibuild"
)

// runEFI executes `rayimg efi` with args.
func runEFI(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newEFICmd()
	cli.Finish(cmd)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// helloEFI is a small EFI application.
func helloEFI(t *testing.T) string {
	t.Helper()
	name, err := efibuild.Build(t.Context(), efibuild.Options{
		Package: "../../efi/pecoff/testdata/hello", Entry: "_rt0_amd64_uefi",
		Output: filepath.Join(t.TempDir(), "hello.efi"), Stderr: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestEFIInspectJSON(t *testing.T) {
	name := helloEFI(t)
	out, err := runEFI(t, "inspect", "--json", name)
	if err != nil {
		t.Fatal(err)
	}
	var r efiReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if r.File != name || r.Bytes != info.Size() || r.Machine != "amd64" || r.Subsystem != "EFI application" ||
		r.Checksum != "correct" || !r.NXCompat || r.Signed {
		t.Errorf("report %+v", r)
	}
	var sections []string
	for _, s := range r.Sections {
		sections = append(sections, s.Name+" "+s.Access)
	}
	want := []string{".text r-x", ".rodata r--", ".relro r--", ".data rw-", ".sbat r--", ".reloc r--"}
	if !slices.Equal(sections, want) {
		t.Errorf("sections %q, want %q", sections, want)
	}
	if len(r.SBAT) != 2 || !strings.HasPrefix(r.SBAT[1], "rayboot,1,") {
		t.Errorf("SBAT %q", r.SBAT)
	}
}

func TestEFIInspectText(t *testing.T) {
	out, err := runEFI(t, "inspect", helloEFI(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"EFI application for amd64", "unsigned, NX compatible, checksum correct", ".text", "r-x", "rayboot,1,"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func TestEFIInspectNotesAChangedByte(t *testing.T) {
	name := helloEFI(t)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := runEFI(t, "inspect", name)
	if err != nil || !strings.Contains(out, "checksum wrong") {
		t.Errorf("error %v, output:\n%s", err, out)
	}
}

func TestEFIInspectErrors(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no program\n", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		text:           "not an EFI application",
		t.TempDir():    "not a file",
		text + "-none": "no such file",
	} {
		if _, err := runEFI(t, "inspect", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

func TestEFIWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"build"}, {"inspect"}, {"inspect", "a", "b"}} {
		if _, err := runEFI(t, args...); !errors.Is(err, control.ErrUsage) {
			t.Errorf("%q: error %v", args, err)
		}
	}
}

func TestEFIBuildSaysWhatIsMissing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.efi")
	_, err := runEFI(t, "build", "../../efi/pecoff/testdata/hello", "-o", out)
	if err == nil || !strings.Contains(err.Error(), `import _ "github.com/rayos/rayboot/efi/goefi"`) {
		t.Errorf("error %v", err)
	}
	_, err = runEFI(t, "build", "../../efi/pecoff/testdata/hello", "-o", out, "--sbat", out)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[2Jé~ "); got != "a?[2J?~ " {
		t.Errorf("got %q", got)
	}
}
