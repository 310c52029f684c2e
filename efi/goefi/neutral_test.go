package goefi

import "testing"

// TestNeutralFilesBuildForAnotherArchitecture keeps what is not in an amd64 file free of amd64: all of the kernel and the public
// part build for arm64, for which there is no machine yet.
func TestNeutralFilesBuildForAnotherArchitecture(t *testing.T) {
	goTool(t, "arm64", "build", "./...")
}
