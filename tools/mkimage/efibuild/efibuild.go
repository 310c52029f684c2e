// Package efibuild builds Go packages into EFI applications: it runs the Go
// tool with the flags that efi/goefi needs and hands the program to efi/pecoff.
// It works on any command that imports efi/goefi, in this module or another.
//
// The result depends on the sources and the toolchain only: not on where they
// lie, on version control, or on the processor of the build machine.
package efibuild

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rayos/rayboot/efi/pecoff"
)

// goefi is the package that lets a program run on firmware.
const goefi = "github.com/rayos/rayboot/efi/goefi"

// entrySymbols are the entry points of goefi, by the architectures it runs on.
// The linker must be told to keep them, as no Go code calls them.
var entrySymbols = map[string]string{"amd64": "_rt0_amd64_uefi"}

// stopDelay is how long the Go tool may take to clean up after a cancellation.
const stopDelay = 10 * time.Second

// Options say what to build; the zero value builds the current directory.
type Options struct {
	Package string    // import path or directory of one command, as for go build
	Output  string    // file to write; empty means the command's name with .efi
	Entry   string    // symbol that firmware calls; empty means that of efi/goefi
	Dir     string    // where the Go tool runs; empty means the current directory
	GoTool  string    // the Go tool; empty means "go" from PATH
	Arch    string    // GOARCH; empty means amd64
	Tags    []string  // build tags besides uefi
	LDFlags string    // further flags for the linker
	SBAT    []byte    // content of .sbat; nil means pecoff's default
	Stderr  io.Writer // gets what the Go tool says; nil means nowhere
}

// Build builds the command into opts.Output and returns the name of that file.
// It is replaced as a whole, or left as it was when there is an error.
func Build(ctx context.Context, opts Options) (string, error) {
	opts.Package = cmp.Or(opts.Package, ".")
	opts.Arch = cmp.Or(opts.Arch, "amd64")
	cmd, err := opts.findCommand(ctx)
	if err != nil {
		return "", fmt.Errorf("find command %s: %w", opts.Package, err)
	}
	if opts.Entry == "" {
		if opts.Entry = entrySymbols[opts.Arch]; opts.Entry == "" {
			return "", fmt.Errorf("build %s: efi/goefi does not run on %s", opts.Package, opts.Arch)
		}
		if !slices.Contains(cmd.Deps, goefi) {
			return "", fmt.Errorf("build %s: it cannot run on firmware yet; add this line to one of its files: import _ %q", opts.Package, goefi)
		}
	}
	efi, err := opts.build(ctx)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", opts.Package, err)
	}
	name := cmp.Or(opts.Output, path.Base(cmd.ImportPath)+".efi")
	return name, replaceFile(name, efi)
}

// goPackage is what go list says about a package.
type goPackage struct {
	Name       string
	ImportPath string
	Deps       []string
}

// findCommand checks that the package is exactly one command, because go build
// compiles a library or several packages without a complaint.
func (o *Options) findCommand(ctx context.Context) (goPackage, error) {
	var out bytes.Buffer
	cmd := o.goCommand(ctx, "list", "-tags", o.tags(), "-json=Name,ImportPath,Deps", "--", o.Package)
	cmd.Stdout = &out
	if err := run(cmd); err != nil {
		return goPackage{}, err
	}
	var p goPackage
	dec := json.NewDecoder(&out)
	if err := dec.Decode(&p); err != nil {
		return goPackage{}, fmt.Errorf("go list: %w", err)
	}
	if dec.More() {
		return goPackage{}, errors.New("it names several packages; an EFI application is made from one command")
	}
	if p.Name != "main" {
		return goPackage{}, fmt.Errorf("package %s is a library; an EFI application is made from a command (package main)", p.Name)
	}
	return p, nil
}

// build links the program in a temporary directory and converts it.
func (o *Options) build(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "efibuild-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // best effort: it is the system's temporary directory
	program := filepath.Join(dir, "program")
	// The symbol table is needed to find the entry; it does not reach the image.
	ldflags := strings.TrimSpace("-w -E " + o.Entry + " " + o.LDFlags)
	cmd := o.goCommand(ctx, "build", "-tags", o.tags(), "-trimpath", "-buildvcs=false", "-buildmode=pie",
		"-ldflags", ldflags, "-o", program, "--", o.Package)
	if err := run(cmd); err != nil {
		return nil, err
	}
	f, err := os.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return pecoff.Convert(f, info.Size(), pecoff.Options{Entry: o.Entry, SBAT: o.SBAT})
}

func (o *Options) tags() string {
	return strings.Join(append([]string{"uefi"}, o.Tags...), ",")
}

// goCommand prepares a run of the Go tool. The processor level is the lowest:
// the runtime refuses to start where it sees less than it was built for.
func (o *Options) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, cmp.Or(o.GoTool, "go"), args...)
	cmd.Dir = o.Dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+o.Arch, "GOAMD64=v1", "GOARM64=v8.0")
	cmd.Stderr = o.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopDelay
	return cmd
}

func run(cmd *exec.Cmd) error {
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w; install Go from https://go.dev/dl", err)
	case err != nil:
		return fmt.Errorf("go %s: %w", cmd.Args[1], err)
	}
	return nil
}

// replaceFile writes a file beside the one that it then replaces.
func replaceFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
