// Command digestcost digests as many bytes as its argument says, on Linux, as the boot manager does it under UEFI. Before and
// after it sends SIGUSR1 to its first thread, on which it runs: who traces it can count the instructions between.
//
// With a second argument "std" it digests with crypto/sha256 instead, of which GODEBUG=cpu.avx=off makes what it is under UEFI.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"github.com/rayos/rayboot/efi/goefi/sha2"
)

// init keeps main on the first thread.
func init() { runtime.LockOSThread() }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "digestcost:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: digestcost BYTES [std]")
	}
	size, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return err
	}
	sum := sha2.Sum256
	if len(args) > 1 && args[1] == "std" {
		sum = sha256.Sum256
	}
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i)
	}
	sum(data) // nothing is done for the first time below
	process := uintptr(syscall.Getpid())
	// Raw, since otherwise the scheduler would have its part in what is counted.
	_, _, before := syscall.RawSyscall(syscall.SYS_TGKILL, process, process, uintptr(syscall.SIGUSR1))
	sum(data)
	_, _, after := syscall.RawSyscall(syscall.SYS_TGKILL, process, process, uintptr(syscall.SIGUSR1))
	if before != 0 || after != 0 {
		return fmt.Errorf("send a signal: %w, %w", before, after)
	}
	return nil
}
