// Command standin takes the place of a system that the boot manager starts, such as Windows: it says where it was
// loaded from and what its command line is, and powers the machine off. With the argument "return" it ends instead,
// and gives the processor back to what started it.
package main

import (
	"fmt"
	"os"

	_ "github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
)

func main() {
	sys, err := uefi.Running()
	if err == nil {
		err = run(sys)
	}
	fmt.Println("FAIL stand-in:", err)
	os.Exit(1)
}

func run(sys *uefi.System) error {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return err
	}
	fmt.Printf("stand-in %v %q\n", self.FilePath, uefi.DecodeUTF16(self.LoadOptions))
	for _, argument := range os.Args {
		if argument == "return" {
			os.Exit(0)
		}
	}
	return sys.Reset(uefi.ResetShutdown)
}
