// Command init is the whole runtime in one static executable: process 1 of the
// booted machine, its shell, and the commands of the shell, chosen by the name
// under which it is called.
package main

import (
	"os"

	"github.com/rayos/rayboot/initramfs/multicall"
)

func main() { os.Exit(multicall.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
