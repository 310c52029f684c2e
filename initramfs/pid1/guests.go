package pid1

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/presentation/console"
)

// guestsStop is how long the program that runs guests has for its end: it waits for theirs.
const guestsStop = 30 * time.Second

// startGuests starts the program that runs guests, where the disk has what it needs.
func (b *boot) startGuests() {
	if _, err := guests.System(b.root); errors.Is(err, guests.ErrNoQEMU) || b.args.Install || b.args.Safe {
		return // the commands tell why
	}
	if b.args.Skips(guests.Service) {
		b.say("service %s: skipped, as the kernel command line says", guests.Service)
		return
	}
	spec := service.Spec{
		Name: guests.Service, Restart: service.Always, Stop: guestsStop,
		Process: &service.Process{Path: b.program, Args: []string{guests.Service}, Files: b.guestsTell},
	}
	if err := errors.Join(b.services.Add(spec), b.services.Start(spec.Name)); err != nil {
		b.warn("%v", err)
	}
}

// guestsTell makes what the program writes lines to for all consoles.
func (b *boot) guestsTell() ([]*os.File, error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go b.hearGuests(ours)
	return []*os.File{theirs}, nil
}

// hearGuests passes on what the program says, until it has ended. However it did, the screen is the text console's again.
func (b *boot) hearGuests(lines *os.File) {
	defer lines.Close()
	for scan := bufio.NewScanner(lines); scan.Scan(); {
		b.tellLater(scan.Text())
	}
	if err := console.Restore(); err != nil {
		b.tellLater(fmt.Sprintf("rayos: %v", err))
	}
}

// tellLater has the main loop write a line to all consoles; not any more when the machine ends.
func (b *boot) tellLater(line string) {
	select {
	case b.told <- line:
	case <-b.ending:
	}
}
