package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStepsOfOthers traces programs that are not digestcost: each is an error, and none is left behind.
func TestStepsOfOthers(t *testing.T) {
	folder := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, program := range map[string]string{
		"no program":     "/no/such/program",
		"no mark":        "/bin/true",
		"one mark":       script("one", "kill -USR1 $$\n"),
		"another signal": script("other", "kill -USR1 $$\nkill -USR2 $$\n"),
		"status 3":       script("status", "kill -USR1 $$\nkill -USR1 $$\nexit 3\n"),
	} {
		if n, err := steps(t.Context(), program, nil); err == nil {
			t.Errorf("%s: %d steps", name, n)
		}
	}
}

// TestStepsAreExact counts a digest by SHA extensions: 512 bytes more are always the same number of instructions.
func TestStepsAreExact(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	if !hasExtensions(string(info)) {
		t.Skip("this processor has no SHA extensions; without, a digest is too long to be sure of nothing else in between")
	}
	program := filepath.Join(t.TempDir(), "digestcost")
	if err := tool(t.Context(), "go", "build", "-o", program, "../apps/digestcost"); err != nil {
		t.Fatal(err)
	}
	var counts []uint64
	for _, size := range []string{"512", "1024", "1536"} {
		n, err := fewestSteps(t.Context(), program, []string{size})
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, n)
	}
	if step := counts[1] - counts[0]; counts[2]-counts[1] != step || step < 512 || step > 512*10 {
		t.Errorf("digests of 512, 1024 and 1536 bytes take %v instructions", counts)
	}
}
