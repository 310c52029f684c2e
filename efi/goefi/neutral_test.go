package goefi

import (
	"os"
	"os/exec"
	"testing"
)

// TestNeutralFilesBuildForAnotherArchitecture keeps what is not in an amd64 file free of amd64: all of the kernel and the public
// part build for arm64, for which there is no machine yet.
func TestNeutralFilesBuildForAnotherArchitecture(t *testing.T) {
	cmd := exec.Command("go", "build", "./...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build for arm64: %v\n%s", err, out)
	}
}
