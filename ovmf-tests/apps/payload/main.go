// Command payload takes the place of a system in tests of boot loops: it does what the words of its command line say, one
// after the other, in a fraction of a second. What it does to the boot-state record, and which markers it says about it, is
// what the RayOS runtime does and says.
//
// The words are:
//
//	SUBSYSTEMS_READY, SHELL_READY  record the stage, say its marker
//	bless                          say GOLDEN; bless this attempt, say BOOT_SUCCESS
//	close                          record the orderly end of this boot
//	count-path                     say the variable LoaderBootCountPath
//	reset, off                     reset the machine, switch it off
//	return                         end, back to the boot manager
//	crash                          fault in the firmware's state
//	hang                           never end
//
// A word with a "." in it is for somebody else. Before each word it says "payload WORD".
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func main() {
	sys := report.Open()
	p := &payload{sys: sys, entry: variable(sys, "RayosEntry", rayosVendor)}
	for _, word := range words(sys) {
		fmt.Println("payload", word)
		if err := p.do(word); err != nil {
			fmt.Printf("FAIL payload %s: %v\n", word, err)
		}
	}
}

// words are the command line. The firmware's own start of this program has none.
func words(sys *uefi.System) []string {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		fmt.Println("FAIL payload:", err)
		return nil
	}
	var own []string
	for _, word := range strings.Fields(uefi.DecodeUTF16(self.LoadOptions)) {
		if !strings.Contains(word, ".") {
			own = append(own, word)
		}
	}
	return own
}

type payload struct {
	sys   *uefi.System
	entry string // entry ID, as the boot manager handed it over
}

func (p *payload) do(word string) error {
	switch word {
	case markers.SubsystemsReady.String():
		return p.reach(markers.SubsystemsReady)
	case markers.ShellReady.String():
		return p.reach(markers.ShellReady)
	case "bless":
		return p.bless()
	case "close":
		return p.close()
	case "count-path":
		fmt.Println("LoaderBootCountPath", variable(p.sys, "LoaderBootCountPath", loaderVendor))
		return nil
	case "reset":
		return p.sys.Reset(uefi.ResetCold)
	case "off":
		return p.sys.Reset(uefi.ResetShutdown)
	case "return":
		os.Exit(0)
	case "crash":
		goefi.CallNative(nowhere)
	case "hang":
		for {
			if err := p.sys.Stall(time.Second); err != nil {
				return err
			}
		}
	}
	return errors.New("no such word")
}

// nowhere is no address (Intel SDM vol. 1 §3.3.7.1): to go there is a fault.
const nowhere = 0xdead_0000_0000_0000
