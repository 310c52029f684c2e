// Command rayimg builds, inspects, verifies and runs RayOS disk images. This
// package parses flags, calls the packages which do the work, and prints.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
