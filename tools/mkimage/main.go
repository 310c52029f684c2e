// Command rayimg builds, inspects, verifies and runs RayOS disk images. This
// package parses flags, calls the packages which do the work, and prints.
package main

import (
	"os"

	"github.com/rayos/rayboot/presentation/console"
)

func main() {
	if os.Args[0] == console.GuardName { // which rayimg starts beside itself for --kms
		os.Exit(console.RunGuard(os.Stdin, os.Stdout))
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
