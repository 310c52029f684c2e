package main

import (
	"errors"
	"time"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/markers"
)

// startWatchdog is the time-out that the firmware itself gives a boot loader
// (UEFI 2.10 §3.1.2). The kernel ends it with ExitBootServices.
const startWatchdog = 5 * time.Minute

// launch is one start.
type launch struct {
	id       string // entry ID, as the started system is told
	source   source
	options  string
	watchdog time.Duration   // of the hardware watchdog; 0 for none
	loaded   markers.Emitter // told when the image is verified and loaded; may be nil
}

// start starts an entry. It comes back only if that failed or the image ended,
// and then says what happened.
func (m *manager) start(order bootmenu.Start) bootmenu.Event {
	m.console.clear()
	m.console.emit(markers.BootmgrSelected{Entry: order.ID, Reason: order.Reason})
	err := m.run(launch{
		id: order.ID, source: m.sources[order.ID], options: order.Options,
		watchdog: time.Duration(order.WatchdogSeconds) * time.Second,
	})
	failed := startFailed(order.ID, err)
	m.console.emit(markers.BootmgrEntryFailed{Entry: order.ID, Stage: failed.Stage, Reason: failed.Problem})
	return failed
}

func startFailed(id string, err error) bootmenu.StartFailed {
	stage := markers.StageStart
	if failed := (*stageError)(nil); errors.As(err, &failed) {
		stage = failed.stage
	}
	return bootmenu.StartFailed{ID: id, Stage: stage, Problem: err.Error()}
}

var errReturned = errors.New("it ended and returned to the boot manager")

// run reads, checks, loads and starts an image; its error is never nil.
func (m *manager) run(l launch) (err error) {
	p, err := l.source.read(m.sys)
	defer func() { err = errors.Join(err, p.free()) }()
	if err != nil {
		return err
	}
	image, err := m.sys.LoadImage(p.image.Bytes(), p.path)
	if err != nil {
		return at(markers.StageLoad, err)
	}
	if err := m.setOptions(image, l.options); err != nil {
		return at(markers.StageLoad, errors.Join(err, m.sys.UnloadImage(image)))
	}
	if p.initrd != nil {
		remove, e := m.sys.ServeInitrd(p.initrd)
		if e != nil {
			return at(markers.StageLoad, errors.Join(e, m.sys.UnloadImage(image)))
		}
		defer func() { err = errors.Join(err, remove()) }()
	}
	p.booted.Options = l.options
	if l.loaded != nil {
		m.console.emit(l.loaded)
	}
	guard := m.armWatchdog(l)
	if err := m.handOver(l.id, p.booted, guard); err != nil {
		m.console.warn("The started system will not know what started it: %v", err)
	}
	m.console.logged(m.console.journal.flush())
	err = m.startImage(image)
	if guard != "" {
		m.disarmWatchdog()
	}
	return at(markers.StageStart, err)
}

// setOptions gives the image its command line; one without has none.
func (m *manager) setOptions(image uefi.Handle, options string) error {
	if options == "" {
		return nil
	}
	loaded, err := m.sys.LoadedImage(image)
	if err != nil {
		return err
	}
	return loaded.SetLoadOptions(uefi.EncodeUTF16(options))
}

// startImage gives the processor to the image. What comes back has failed.
func (m *manager) startImage(image uefi.Handle) error {
	if err := m.sys.SetWatchdog(startWatchdog); err != nil {
		m.console.warn("No firmware watchdog guards this start: %v", err)
	}
	err := m.sys.StartImage(image)
	if e := m.sys.SetWatchdog(0); e != nil {
		m.console.warn("The firmware's watchdog could not be stopped and may reset the machine: %v", e)
	}
	if err == nil {
		return errReturned
	}
	return err
}
