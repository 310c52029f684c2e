package session

// Help tells which keys do not go to the guest.
const Help = "Ctrl-A X ends the machine, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-A H shows this help"

const (
	ctrlA = 0x01
	ctrlC = 0x03
)

type action int

const (
	actionNone action = iota
	actionLeave
	actionInterrupt
	actionHelp
)

// keyFilter takes the keys of the session itself out of what goes to the guest.
type keyFilter struct {
	interactive bool // Ctrl-C is the guest's
	escaped     bool // the last key was Ctrl-A
}

// filter returns what the guest gets and what the session is to do then. It stops behind a key with an action; rest is
// what follows that key.
func (k *keyFilter) filter(in []byte) (forward []byte, a action, rest []byte) {
	for i, c := range in {
		switch {
		case k.escaped:
			k.escaped = false
			switch c {
			case 'x', 'X':
				return forward, actionLeave, in[i+1:]
			case 'h', 'H', '?':
				return forward, actionHelp, in[i+1:]
			case ctrlA, 'a', 'A':
				forward = append(forward, ctrlA)
			}
		case c == ctrlA:
			k.escaped = true
		case c == ctrlC && !k.interactive:
			return forward, actionInterrupt, in[i+1:]
		default:
			forward = append(forward, c)
		}
	}
	return forward, actionNone, nil
}
