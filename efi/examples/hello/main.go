// Command hello is an ordinary Go program that runs under UEFI, as a pattern for others.
//
// What makes it one is the import of package goefi and the way it is built: the tag uefi, a position-independent executable with
// another entry point, and the conversion to the format of EFI applications. One command does all of it:
//
//	rayimg efi build ./efi/examples/hello -o hello.efi
//
// Copied to a FAT-formatted USB stick as \EFI\BOOT\BOOTX64.EFI it starts on a PC with UEFI (Secure Boot must be off, or the file
// signed). In the UEFI shell, "hello.efi one two" shows the arguments.
//
// Goroutines, timers, maps, fmt and the garbage collector are those of any Go program. There are no files, no network and no
// standard input: for the firmware's own services see package uefi. Running the program under an operating system works too:
// built in the usual way it prints the same with other values.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/rayos/rayboot/efi/goefi"
)

func main() {
	where := "an operating system"
	if goefi.Running() {
		where = "UEFI"
	}
	fmt.Printf("Hello from %s on %s at %s.\n", runtime.Version(), where, time.Now().UTC().Format(time.DateTime))
	fmt.Printf("Arguments: %q\n", os.Args)

	sum := make(chan int)
	go func() { sum <- 6 * 7 }()
	fmt.Println("A goroutine says:", <-sum)
}
