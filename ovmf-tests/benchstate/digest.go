package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The digest of this many bytes is stepped through, each this often; what belongs to the length is found by the difference.
const (
	shortBytes = 512
	longBytes  = 1024
	tries      = 3
)

// hostCost is what the digest of digestBytes costs on the host.
type hostCost struct {
	extensions bool   // the processor has SHA extensions
	sha2       uint64 // instructions of package sha2 with them
	std        uint64 // instructions of crypto/sha256 without AVX
}

// digestOnHost counts what the boot manager's digest costs on this host's processor.
func digestOnHost(ctx context.Context, folder string) (host hostCost, err error) {
	program := filepath.Join(folder, "digestcost")
	if err := tool(ctx, "go", "build", "-o", program, "./ovmf-tests/apps/digestcost"); err != nil {
		return host, err
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return host, err
	}
	if host.extensions = hasExtensions(string(info)); host.extensions {
		if host.sha2, err = digestCost(ctx, program); err != nil {
			return host, err
		}
	}
	host.std, err = digestCost(ctx, program, "std")
	return host, err
}

// hasExtensions looks for SHA extensions in the text of /proc/cpuinfo.
func hasExtensions(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "flags" {
			return slices.Contains(strings.Fields(value), "sha_ni")
		}
	}
	return false
}

func digestCost(ctx context.Context, program string, args ...string) (uint64, error) {
	short, err := fewestSteps(ctx, program, append([]string{fmt.Sprint(shortBytes)}, args...))
	if err != nil {
		return 0, err
	}
	long, err := fewestSteps(ctx, program, append([]string{fmt.Sprint(longBytes)}, args...))
	if err != nil {
		return 0, err
	}
	return scale(short, long)
}

// scale tells the cost of digestBytes from those of shortBytes and longBytes.
func scale(short, long uint64) (uint64, error) {
	if long <= short {
		return 0, fmt.Errorf("the digest of %d bytes takes %d steps, that of %d bytes %d", shortBytes, short, longBytes, long)
	}
	return long + (long-short)*(digestBytes-longBytes)/(longBytes-shortBytes), nil
}

// fewestSteps repeats the count: the Go runtime may do something of its own in between.
func fewestSteps(ctx context.Context, program string, args []string) (fewest uint64, err error) {
	for i := range tries {
		n, err := steps(ctx, program, args)
		if err != nil {
			return 0, fmt.Errorf("step through %s %s: %w", filepath.Base(program), strings.Join(args, " "), err)
		}
		if i == 0 || n < fewest {
			fewest = n
		}
	}
	return fewest, nil
}
