// Command statecost does what the boot manager does with its state, between marks of package icount: QEMU's counting plugin sees
// what each step costs. For each two marks there is one line `span NAME`, in the same order.
//
// The volume must have the file four-kib with 4096 bytes, and be the ESP of a RayOS image.
package main

import (
	"errors"
	"fmt"

	"github.com/rayos/rayboot/efi/goefi/sha2"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

// rounds is how often each step is done: the first time everything is new to the firmware, as in a boot.
const rounds = 20

// digestBytes is the size of a kernel with its initrd.
const digestBytes = 15 << 20

func main() {
	sys := report.Open()
	var r report.Report
	r.Check("boot state", func() error {
		m, err := openMachine(sys)
		if err != nil {
			return err
		}
		for range rounds {
			if err := m.round(); err != nil {
				return err
			}
		}
		if err := m.fill(); err != nil {
			return err
		}
		for range rounds {
			if err := m.loadAndSave("load full", "save full"); err != nil {
				return err
			}
		}
		return nil
	})
	r.Check("digest", func() error { return digest(sys) })
	r.Finish(sys)
}

// digest digests what lies where the firmware reads kernels to.
func digest(sys *uefi.System) error {
	pages, err := sys.AllocatePages(digestBytes)
	if err != nil {
		return err
	}
	clear(pages.Bytes())
	name := "digest"
	if sha2.Extensions() {
		name = "digest by SHA extensions"
	}
	err = span(name, func() error {
		sha2.Sum256(pages.Bytes())
		return nil
	})
	return errors.Join(err, pages.Free())
}

// span does a step between two marks, and then says so.
func span(name string, step func() error) error {
	mark()
	err := step()
	mark()
	fmt.Println("span", name)
	return err
}
