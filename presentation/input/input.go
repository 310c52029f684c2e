// Package input brings what a person does with the keyboard and the mouse of the machine to the guest that is shown, and to
// nobody else: not to guests that are hidden, and not to the shell on the text console underneath.
//
// A [Router] decides, and touches nothing. [Devices] takes the keyboards and mice from Linux, as long as it is open: the
// kernel gives them back when the process ends, however it does. [Monitor] hands events to a guest through its QEMU.
//
// The chord Ctrl+Alt+Esc is for us: no guest gets its Esc.
package input

import "slices"

// Kind says what an event is.
type Kind uint8

// The kinds of events.
const (
	Key    Kind = iota + 1 // a key or a button goes down or up, or repeats
	Move                   // the mouse has moved by X, Y
	Point                  // the pointer is at X, Y
	Scroll                 // the wheel has turned by X to the right, Y up
)

// MaxPoint is the last place of a pointer, at the right or at the bottom, in both directions; 0 is the first.
const MaxPoint = 0x7fff

// Event is something that a person did.
type Event struct {
	Kind Kind
	Code Code // of Key
	Down bool // of Key; one that is down already repeats
	X, Y int32
}

// Guest takes events. An error means that the guest does not get them.
type Guest interface {
	Send(events []Event) error
}

// Router sends events to the guest that is shown. Use it from one goroutine.
type Router struct {
	guest Guest
	down  []Code // keys that the guest knows to be down, as they went down
	own   []Code // keys that are down and that no guest is to hear of
}

// Show sends events to another guest from now on; nil is none. The guest before it sees all keys released. Those that a
// person still holds do nothing until they have been released.
func (r *Router) Show(g Guest) error {
	err := r.release()
	r.guest = g
	return err
}

// release releases all keys that the guest knows to be down, the last one first.
func (r *Router) release() error {
	var events []Event
	for i := len(r.down) - 1; i >= 0; i-- {
		events = append(events, Event{Kind: Key, Code: r.down[i]})
		r.own = append(r.own, r.down[i])
	}
	r.down = nil
	if r.guest == nil || len(events) == 0 {
		return nil
	}
	return r.guest.Send(events)
}

// Feed takes events as they come from the devices. chord reports that the chord was pressed among them: those after it,
// up to the next call, are nobody's. The guest then has released keys.
func (r *Router) Feed(events []Event) (chord bool, err error) {
	var forward []Event
	for _, e := range events {
		switch {
		case chord:
			r.keep(e)
		case r.isChord(e):
			if err = r.send(forward); err == nil {
				err = r.release()
			}
			chord, forward = true, nil
			r.keep(e)
		case r.takes(e):
			forward = append(forward, e)
		}
	}
	if !chord {
		err = r.send(forward)
	}
	return chord, err
}

func (r *Router) send(events []Event) error {
	if r.guest == nil || len(events) == 0 {
		return nil
	}
	return r.guest.Send(events)
}

// isChord reports whether e is the key that completes the chord.
func (r *Router) isChord(e Event) bool {
	ctrl := r.held(KeyLeftCtrl) || r.held(KeyRightCtrl)
	return e.Kind == Key && e.Code == KeyEscape && e.Down && !r.held(KeyEscape) && ctrl && (r.held(KeyLeftAlt) || r.held(KeyRightAlt))
}

func (r *Router) held(c Code) bool {
	return slices.Index(r.down, c) >= 0 || slices.Index(r.own, c) >= 0
}

// keep notes a key as one that no guest hears of.
func (r *Router) keep(e Event) {
	if e.Kind != Key {
		return
	}
	if i := slices.Index(r.own, e.Code); !e.Down && i >= 0 {
		r.own = append(r.own[:i], r.own[i+1:]...)
	} else if e.Down && i < 0 && slices.Index(r.down, e.Code) < 0 {
		r.own = append(r.own, e.Code)
	}
}

// takes reports whether the guest gets an event, and notes which keys are down.
func (r *Router) takes(e Event) bool {
	if e.Kind != Key {
		return r.guest != nil
	}
	if r.guest == nil || slices.Index(r.own, e.Code) >= 0 {
		r.keep(e)
		return false
	}
	i := slices.Index(r.down, e.Code)
	switch {
	case e.Down && i < 0:
		r.down = append(r.down, e.Code)
	case !e.Down && i < 0:
		return false // its press was not the guest's
	case !e.Down:
		r.down = append(r.down[:i], r.down[i+1:]...)
	}
	return true
}
