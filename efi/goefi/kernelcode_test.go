package goefi

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goCode are the functions of our packages that run as ordinary Go code; all others run in kernel context.
var goCode = []string{
	"goefi.Call", "goefi.CallNative", "goefi.enter", "goefi.ReadStats", "goefi/internal/kernel.(*Kernel).Stats",
}

// allowed are the functions outside of our packages that kernel context may reach. The stack check never fails there, and the
// others move and clear memory without touching the runtime's state.
var allowed = regexp.MustCompile(`^runtime\.(morestack(_noctxt)?(\.abi0)?|memmove|memclrNoHeapPointers|duffzero|duffcopy)(\(SB\)|\+)`)

// ours are the packages that make up the kernel context, and symbols without a package: the entry points and functions that are
// local to an assembly file.
var ours = regexp.MustCompile(`^(github\.com/rayos/rayboot/efi/goefi(/internal/(kernel|mem))?\.|\w+(\(SB\)|$))`)

// disassemble builds the hello example as an EFI application and returns the code of our packages.
func disassemble(t *testing.T) (code, symbols []byte) {
	t.Helper()
	elf := filepath.Join(t.TempDir(), "hello.elf")
	goTool(t, "amd64", "build", "-tags", "uefi", "-trimpath", "-buildmode=pie", "-ldflags", "-E _rt0_amd64_uefi", "-o", elf, "../examples/hello")
	return goTool(t, "amd64", "tool", "objdump", "-s", "rayboot/efi/goefi|_rt0_amd64_uefi", elf), goTool(t, "amd64", "tool", "nm", elf)
}

// goTool runs a command of the go tool, whose result depends on our sources: they are read here, since go test takes only what the
// test itself opens as a reason not to repeat an old result.
func goTool(t *testing.T, arch string, args ...string) []byte {
	t.Helper()
	for _, pattern := range []string{"*.[gsh]*", "internal/*/*.[gs]*"} {
		sources, err := filepath.Glob(pattern)
		if err != nil || sources == nil {
			t.Fatalf("no sources match %s: %v", pattern, err)
		}
		for _, name := range sources {
			if _, err := os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// TestKernelContextCallsNothingOfTheRuntime holds the rules of package kernel against the machine code: an allocation, a write
// barrier, a bounds check or a conversion shows as a call of the runtime.
func TestKernelContextCallsNothingOfTheRuntime(t *testing.T) {
	code, symbols := disassemble(t)
	functions, findings := kernelFindings(bytes.NewReader(code))
	if functions < 150 {
		t.Errorf("only %d functions were found in the disassembly", functions)
	}
	for _, f := range findings {
		t.Error(f)
	}
	// Variables of kernel context must not be waiting for the runtime to set them.
	if bad := regexp.MustCompile(`(?m) T .*rayboot/efi/goefi.*\.init(\.\d+)?$`).FindAll(symbols, -1); bad != nil {
		t.Errorf("initialisation at run time: %s", bytes.Join(bad, []byte(", ")))
	}
}

// kernelFindings reads the output of go tool objdump.
func kernelFindings(disassembly io.Reader) (functions int, findings []string) {
	jump := regexp.MustCompile(`\b(?:CALL|J[A-Z]+) (\S+\(SB\).*)$`)
	function, inKernel := "", false
	for lines := bufio.NewScanner(disassembly); lines.Scan(); {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "TEXT "); ok {
			function, _, _ = strings.Cut(name, "(SB)")
			inKernel = ours.MatchString(function) && !slices.ContainsFunc(goCode, func(f string) bool {
				return strings.HasSuffix(strings.TrimSuffix(function, ".abi0"), "/"+f)
			})
			functions++
			continue
		}
		if m := jump.FindStringSubmatch(line); inKernel && m != nil && !ours.MatchString(m[1]) && !allowed.MatchString(m[1]) {
			findings = append(findings, fmt.Sprintf("%s reaches %s: %s", function, m[1], strings.Fields(line)[0]))
		}
	}
	return functions, findings
}

func TestKernelFindingsFindsForbiddenCalls(t *testing.T) {
	const pkg = "TEXT github.com/rayos/rayboot/efi/goefi/internal/kernel.(*Kernel)."
	for _, c := range []struct {
		name, code string
		want       int
	}{
		{"own function", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL github.com/rayos/rayboot/efi/goefi/internal/mem.Zero(SB)\t\n", 0},
		{"stack check", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL runtime.morestack_noctxt.abi0(SB)\t\n", 0},
		{"through an interface", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL CX\t\n", 0},
		{"allocation", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL runtime.newobject(SB)\t\n", 1},
		{"write barrier", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL runtime.gcWriteBarrier2(SB)\t\n", 1},
		{"bounds check", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL runtime.panicBounds(SB)\t\n", 1},
		{"tail call", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te9\tJMP runtime.panicdivide(SB)\t\n", 1},
		{"other package", pkg + "clone(SB) /x.go\n  thread.go:50\t0x4b\te8\tCALL fmt.Println(SB)\t\n", 1},
		{"stats in Go code", pkg + "Stats(SB) /x.go\n  kernel.go:50\t0x4b\te8\tCALL runtime.newobject(SB)\t\n", 0},
	} {
		if _, got := kernelFindings(strings.NewReader(c.code)); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d: %v", c.name, len(got), c.want, got)
		}
	}
}
