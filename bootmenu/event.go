package bootmenu

import (
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// Event is a fact that the boot policy is told.
type Event interface{ event() }

// PoweredOn is the first event: what discovery found.
type PoweredOn struct {
	Entries    []Entry // in menu order; more than MaxEntries are cut off
	Config     Config
	KeyWaiting bool // a key was pressed before the menu was up

	State     record.Loaded // the boot-state record as it was found
	Nonce     record.Nonce  // names this power-on's attempts; random
	Watchdog  bool          // the hardware watchdog was what reset the machine
	Snapshots []Snapshot    // golden snapshots in the order in which they are to be tried
}

// KeyPressed is a key of the firmware's console, serial or screen.
type KeyPressed struct{ Key Key }

// Tick is one second passed while the menu is displayed.
type Tick struct{}

// StateSaved answers SaveState. An empty Problem means that it is durable.
type StateSaved struct{ Problem string }

// TryCounted answers CountTry. An empty Problem means that it is durable.
type TryCounted struct{ Problem string }

// StartFailed says that an entry, or with GoldenID a golden snapshot, could not
// be started, or came back.
type StartFailed struct {
	ID      string
	Stage   markers.StartStage
	Problem string // what and why, for people
}

// DefaultSaved answers SaveDefault. An empty Problem means that it is durable.
type DefaultSaved struct{ ID, Problem string }

// ActionFailed says that EnterSetup or PowerOff did not work.
type ActionFailed struct{ Action, Problem string }

func (PoweredOn) event()    {}
func (KeyPressed) event()   {}
func (Tick) event()         {}
func (StateSaved) event()   {}
func (TryCounted) event()   {}
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
	// WatchdogSeconds is how long the started system has to take over the
	// hardware watchdog; 0 if it would not know of it.
	WatchdogSeconds int
}

// StartGolden verifies and starts a golden snapshot. If it fails or returns, the
// answer is StartFailed with GoldenID.
type StartGolden struct {
	Snapshot        golden.Digest
	Reason          string // of markers.BootmgrRecoveryFallback
	Attempt         int    // starts of golden snapshots since the last good boot
	WatchdogSeconds int
}

// SaveState writes the boot-state record; answered by StateSaved.
type SaveState struct{ Record record.Record }

// CountTry counts one try in the entry's file name; answered by TryCounted.
type CountTry struct{ ID string }

// Emit tells automation. It is not answered.
type Emit struct{ Marker markers.Emitter }

// SaveDefault makes an entry the default for later boots; answered by
// DefaultSaved.
type SaveDefault struct{ ID string }

// EnterSetup resets the machine into the firmware's setup. It comes back only
// with ActionFailed.
type EnterSetup struct{}

// PowerOff switches the machine off. It comes back only with ActionFailed.
type PowerOff struct{}

func (Start) effect()       {}
func (StartGolden) effect() {}
func (SaveState) effect()   {}
func (CountTry) effect()    {}
func (Emit) effect()        {}
func (SaveDefault) effect() {}
func (EnterSetup) effect()  {}
func (PowerOff) effect()    {}
