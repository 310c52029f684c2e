package host

import (
	"context"
	"errors"

	"github.com/rayos/rayboot/presentation/input"
)

// devices are the machine's keyboards and mice, taken for us.
type devices interface {
	events() <-chan []input.Event
	Close() error
}

// keys brings keyboard and mouse to the guest that is shown. They are the console's while none is.
type keys struct {
	open   func() (devices, error)
	guest  func() input.Guest // the one that is shown; nil for none
	chord  func()             // called when the person wants to leave the guest
	report func(error)
	moved  chan struct{} // has a value when another guest, or none, is shown
}

func newKeys(open func() (devices, error), shown func() input.Guest, chord func(), report func(error)) *keys {
	return &keys{open: open, guest: shown, chord: chord, report: report, moved: make(chan struct{}, 1)}
}

// changed says that another guest is shown, or none. It does not wait.
func (k *keys) changed() {
	select {
	case k.moved <- struct{}{}:
	default: // it will be seen
	}
}

// run works until ctx ends.
func (k *keys) run(ctx context.Context) {
	var taken devices
	var router input.Router
	defer func() { k.check(giveBack(taken)) }()
	for {
		var events <-chan []input.Event
		if taken != nil {
			events = taken.events()
		}
		select {
		case <-ctx.Done():
			k.check(router.Show(nil))
			return
		case <-k.moved:
			k.check(k.follow(&router, &taken))
		case e := <-events:
			chord, err := router.Feed(e)
			k.check(err)
			if chord {
				k.chord()
			}
		}
	}
}

// follow turns to the guest that is shown.
func (k *keys) follow(router *input.Router, taken *devices) (err error) {
	g := k.guest()
	err = router.Show(g)
	switch {
	case g == nil:
		err = errors.Join(err, giveBack(*taken))
		*taken, *router = nil, input.Router{}
	case *taken == nil:
		d, openErr := k.open()
		if openErr == nil {
			*taken = d
		}
		err = errors.Join(err, openErr)
	}
	return err
}

func giveBack(d devices) error {
	if d == nil {
		return nil
	}
	return d.Close()
}

func (k *keys) check(err error) {
	if err != nil {
		k.report(err)
	}
}

// machineDevices are the real ones.
type machineDevices struct{ *input.Devices }

func (d machineDevices) events() <-chan []input.Event { return d.Events }

func openDevices() (devices, error) {
	d, err := input.Open()
	if err != nil {
		return nil, err
	}
	return machineDevices{d}, nil
}
