package bootmenu

import "github.com/rayos/rayboot/markers"

// Event is a fact that the boot policy is told.
type Event interface{ event() }

// PoweredOn is the first event: what discovery found.
type PoweredOn struct {
	Entries    []Entry // in menu order; more than MaxEntries are cut off
	Config     Config
	KeyWaiting bool // a key was pressed before the menu was up
}

// KeyPressed is a key of the firmware's console, serial or screen.
type KeyPressed struct{ Key Key }

// Tick is one second passed while the menu is displayed.
type Tick struct{}

// StartFailed says that an entry could not be started, or came back.
type StartFailed struct {
	ID      string
	Problem string // what and why, for people
}

// DefaultSaved answers SaveDefault. An empty Problem means that it is durable.
type DefaultSaved struct{ ID, Problem string }

// ActionFailed says that EnterSetup or PowerOff did not work.
type ActionFailed struct{ Action, Problem string }

func (PoweredOn) event()    {}
func (KeyPressed) event()   {}
func (Tick) event()         {}
func (StartFailed) event()  {}
func (DefaultSaved) event() {}
func (ActionFailed) event() {}

// Effect is something the manager is to do.
type Effect interface{ effect() }

// Start loads and starts an entry with this command line. If it fails or
// returns, the answer is StartFailed.
type Start struct {
	ID      string
	Options string
	Reason  markers.SelectReason
}

// SaveDefault makes an entry the default for later boots; answered by
// DefaultSaved.
type SaveDefault struct{ ID string }

// EnterSetup resets the machine into the firmware's setup. It comes back only
// with ActionFailed.
type EnterSetup struct{}

// PowerOff switches the machine off. It comes back only with ActionFailed.
type PowerOff struct{}

func (Start) effect()       {}
func (SaveDefault) effect() {}
func (EnterSetup) effect()  {}
func (PowerOff) effect()    {}
