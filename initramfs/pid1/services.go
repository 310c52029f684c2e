package pid1

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/initramfs/service"
)

// serveServices answers the command services until the machine is off.
func (b *boot) serveServices() {
	listener, err := packet.Listen(filepath.Join(b.root, service.SocketPath))
	if err != nil {
		b.warn("%v; the command services does not work", err)
		return
	}
	go func() {
		if err := listener.Serve(b.services.Answer); err != nil {
			b.warn("command services: %v", err)
		}
	}()
}

// Files that define services, in the initramfs: NAME.conf. There are none on the disk,
// whose content nobody vouches for where golden snapshots are signed.
const (
	definitions      = "etc/rayos/services"
	definitionSuffix = ".conf"
)

// startServices starts the services that files define. One that cannot be started is no
// reason to stay down; that the machine is of no use then is for its services to notice.
func (b *boot) startServices() {
	sorted, err := b.readDefinitions()
	if err != nil {
		b.warn("%v", err)
	}
	for _, d := range sorted {
		if b.args.Skips(d.Name) {
			b.say("service %s: skipped, as the kernel command line says", d.Name)
			continue
		}
		if err := errors.Join(b.services.Add(d.Spec()), b.services.Start(d.Name)); err != nil {
			b.warn("%v; it is not started", err)
		}
	}
}

// readDefinitions reads those definitions that can be read, in the order of their start.
func (b *boot) readDefinitions() ([]service.Definition, error) {
	var all []service.Definition
	var problems error
	names, err := fs.Glob(os.DirFS(b.root), definitions+"/*"+definitionSuffix) // sorted
	if err != nil {
		panic(err) // the pattern is good
	}
	for _, name := range names {
		d, err := readDefinition(filepath.Join(b.root, name))
		if err != nil {
			problems = errors.Join(problems, err)
			continue
		}
		all = append(all, d)
	}
	sorted, err := service.Ordered(all)
	return sorted, errors.Join(problems, err)
}

func readDefinition(file string) (service.Definition, error) {
	f, err := os.Open(file)
	if err != nil {
		return service.Definition{}, err
	}
	defer f.Close()
	return service.Parse(strings.TrimSuffix(filepath.Base(file), definitionSuffix), f)
}
