package debkernel

import (
	"path/filepath"
	"testing"
)

func FuzzImageRelease(f *testing.F) {
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, b []byte) {
		release, err := imageRelease(b)
		if err == nil && (release == "" || len(release) > maxReleaseBytes || filepath.Base(release) != release) {
			t.Errorf("release %q", release)
		}
	})
}
