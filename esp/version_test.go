package esp

import (
	"cmp"
	"errors"
	"os/exec"
	"testing"
)

// ascending are versions from oldest to newest, after the examples and rules of
// UAPI.10.
var ascending = []string{
	"~", "~~", "~1", "", "-1", "^1", ".1", "0", "1", "1-1", "11",
	"122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1", "123-1.1", "123^post1", "123.a-1", "123.1-1",
	"123a-1", "124-1",
}

// equal are versions that are neither older nor newer.
var equal = [][2]string{
	{"123", "123"}, {"0123", "123"}, {"1.02", "1.2"}, {"1_2", "1+2"}, {"1_", "1"}, {"_", ""}, {"1.0", "1.00"}, {"a_b", "a b"},
}

func TestCompareVersions(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			if got, want := sign(CompareVersions(a, b)), cmp.Compare(i, j); got != want {
				t.Errorf("CompareVersions(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
	for _, pair := range equal {
		if got := CompareVersions(pair[0], pair[1]); got != 0 {
			t.Errorf("CompareVersions(%q, %q) = %d, want 0", pair[0], pair[1], got)
		}
	}
}

// TestCompareVersionsLikeSystemd asks systemd about neighbours in another list.
func TestCompareVersionsLikeSystemd(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed; it is part of Debian's package systemd")
	}
	versions := []string{
		"", "~", "~~1", "1", "01", "1~~", "1.", "1-", "1^", "1:2", "1_2", "1-^.~a", "a", "B", "b1",
		"6.1.0", "6.1.0-rc2", "6.1.0-9-amd64", "6.1.0-10-amd64",
	}
	for i, a := range versions {
		for _, b := range versions[i:min(i+4, len(versions))] {
			if got, want := sign(CompareVersions(a, b)), compareLikeSystemd(t, a, b); got != want {
				t.Errorf("CompareVersions(%q, %q) = %d, systemd says %d", a, b, got, want)
			}
		}
	}
}

// compareLikeSystemd runs systemd-analyze, whose exit status is 0, 11 or 12.
func compareLikeSystemd(t *testing.T, a, b string) int {
	t.Helper()
	output, err := exec.Command("systemd-analyze", "compare-versions", "--", a, b).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() == 11:
		return 1
	case errors.As(err, &exit) && exit.ExitCode() == 12:
		return -1
	}
	t.Fatalf("systemd-analyze compare-versions %q %q: %v: %s", a, b, err, output)
	return 0
}

func sign(n int) int { return cmp.Compare(n, 0) }

func FuzzCompareVersions(f *testing.F) {
	for i := range ascending[1:] {
		f.Add(ascending[i], ascending[i+1], equal[i%len(equal)][0])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, bc, ac := sign(CompareVersions(a, b)), sign(CompareVersions(b, c)), sign(CompareVersions(a, c))
		if back := sign(CompareVersions(b, a)); back != -ab {
			t.Errorf("(%q, %q) is %d, the other way round %d", a, b, ab, back)
		}
		if CompareVersions(a, a) != 0 {
			t.Errorf("%q is not equal to itself", a)
		}
		if ab == bc && ab != ac {
			t.Errorf("%q, %q, %q: order %d, %d but %d", a, b, c, ab, bc, ac)
		}
	})
}
