package main

import (
	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/watchdog"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// manager carries out what the boot policy decides.
type manager struct {
	sys       *uefi.System
	console   *console
	volume    volume // the ESP that the manager was loaded from
	partition string // its PARTUUID, empty if the device has none
	installID string // of the installation on that ESP, empty if there is none
	sources   map[string]source
	files     map[string]string // entry ID to the path of the file that is the entry
	loaderIDs map[string]string // entry ID to the one of the Boot Loader Interface
	kernels   kernelPartition
	store     *record.Store // of the boot-state record; nil if this ESP has none
	nonce     record.Nonce  // names this power-on's attempts
	goldens   map[golden.Digest]golden.Snapshot
	goldenKey goldenKey

	watchdog   watchdog.Watchdog // of the hardware; nil if there is none that can be used
	noWatchdog error             // why not, if it is known
}

// loop feeds the boot policy with events and executes its effects, until the
// machine is reset, or switched off, or started something that never returns.
func (m *manager) loop(event bootmenu.Event) {
	var state bootmenu.State
	for {
		var effects []bootmenu.Effect
		state, effects = bootmenu.Step(state, event)
		event = nil
		for _, effect := range effects {
			if answer := m.execute(effect); answer != nil {
				event = answer
			}
		}
		if event == nil {
			m.console.draw(state.Screen(m.console.cols, m.console.rows))
			m.console.logged(m.console.journal.flush())
			event = m.console.wait(m.sys, state.Counting())
		}
	}
}

// execute does what the policy asks for and reports what came of it; nil for
// what is not answered.
func (m *manager) execute(effect bootmenu.Effect) bootmenu.Event {
	switch e := effect.(type) {
	case bootmenu.Emit:
		m.console.emit(e.Marker)
	case bootmenu.SaveState:
		return bootmenu.StateSaved{Problem: problem(m.saveState(e.Record))}
	case bootmenu.CountTry:
		return bootmenu.TryCounted{Problem: problem(m.countTry(e.ID))}
	case bootmenu.Start:
		return m.start(e)
	case bootmenu.StartGolden:
		return m.startGolden(e)
	case bootmenu.SaveDefault:
		return bootmenu.DefaultSaved{ID: e.ID, Problem: problem(m.saveDefault(e.ID))}
	case bootmenu.EnterSetup:
		m.console.logged(m.console.journal.flush())
		return bootmenu.ActionFailed{Action: "enter the firmware's setup", Problem: problem(m.enterSetup())}
	case bootmenu.PowerOff:
		m.console.logged(m.console.journal.flush())
		return bootmenu.ActionFailed{Action: "power off", Problem: problem(m.sys.Reset(uefi.ResetShutdown))}
	}
	return nil
}

// problem is an error's text, empty for nil.
func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// announce tells automation what was found.
func (m *manager) announce(found discovery) {
	for _, e := range found.entries {
		m.console.emit(markers.BootmgrDiscovered{Entry: e.ID, Kind: e.Kind})
	}
	if found.dropped > 0 {
		m.console.emit(markers.BootmgrEntriesDropped{Count: found.dropped, Limit: bootmenu.MaxEntries})
	}
	for _, p := range found.problems {
		m.console.warn("%s", p)
	}
}
