package pecoff

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// hello is testdata/hello as Go's linker makes it, and as Convert does.
type hello struct {
	elf, efi []byte
}

var hellos = map[string]func() (hello, error){
	"amd64": sync.OnceValues(func() (hello, error) { return buildHello("amd64") }),
	"arm64": sync.OnceValues(func() (hello, error) { return buildHello("arm64") }),
}

func helloFor(t testing.TB, arch string) hello {
	t.Helper()
	h, err := hellos[arch]()
	if err != nil {
		t.Fatalf("build testdata/hello: %v", err)
	}
	return h
}

func buildHello(arch string) (hello, error) {
	dir, err := os.MkdirTemp("", "pecoff")
	if err != nil {
		return hello{}, err
	}
	defer os.RemoveAll(dir)
	b, err := goBuild(dir, arch, "-buildmode=pie", "-ldflags=-w -E _rt0_"+arch+"_uefi")
	if err != nil {
		return hello{}, err
	}
	efi, err := Convert(bytes.NewReader(b), int64(len(b)), Options{})
	return hello{elf: b, efi: efi}, err
}

// goBuild builds testdata/hello with further flags of go build.
func goBuild(dir, arch string, flags ...string) ([]byte, error) {
	out := filepath.Join(dir, "hello.elf")
	cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", out}, flags...), "./testdata/hello")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}
