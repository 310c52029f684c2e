package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBench measures a little, and looks whether all is measured.
func TestBench(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run([]string{"-dir", t.TempDir(), "-turns", "1", "-capacity", "4096"}, &stdout, &stderr)
	if errors.Is(err, unix.EINVAL) {
		t.Skip("no direct writes here")
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(stdout.String(), "\n")
	if len(lines) != 6 {
		t.Fatalf("%q", lines)
	}
	for i, want := range []string{"", "90 %", "50 %", "a log of 4096, after 4117", "allocations per append  0"} {
		if line := strings.Join(strings.Fields(lines[i]), " "); !strings.Contains(line, strings.Join(strings.Fields(want), " ")) || strings.Contains(line, "NaN") {
			t.Errorf("line %q, want %q in it", line, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-turns", "0"}, {"-capacity", "9"}, {"-dir", "/nowhere"}, {"-none"}} {
		if err := run(args, new(bytes.Buffer), new(bytes.Buffer)); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
