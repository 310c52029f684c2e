// Package harness runs a virtual machine for a test: it starts QEMU with OVMF, follows the serial port and presses keys.
//
// It owns the rules of whole-machine tests: every machine has a fresh variable store, every wait has a limit and a
// time-out is a failure that shows the transcript's tail, a machine that resets or ends unexpectedly is a failure, and a
// test that ends without Finish, that is without its last line, is a failure too. What to expect is the tests' business.
package harness

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/presentation/qmp"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// Patience bounds every single wait. A boot takes some 15 s under software emulation on a quiet host and up to three
// times as much on a busy one; this is another four times that.
const Patience = 3 * time.Minute

// tailLines is how much of the transcript a failure shows.
const tailLines = 40

// screenshotLimit bounds the picture of a machine that may be stuck.
const screenshotLimit = 10 * time.Second

// Spec describes a machine for a test.
type Spec struct {
	qemu.Machine

	// Reboots lets the guest reset the machine. Otherwise a reset ends it, so that a crash cannot hide behind a
	// second, successful boot.
	Reboots bool

	// StaysOff keeps a machine that the guest has switched off, so that PowerOn can switch it on again. Otherwise it ends.
	StaysOff bool

	// Crashes lets Go programs panic. Otherwise the first sign of a crash ends the wait.
	Crashes bool
}

// Machine is a running machine of a test. Its methods end the test on a failure; they are for the test's goroutine.
type Machine struct {
	t          testing.TB
	process    *qemu.Process
	transcript *Transcript
	ctx        context.Context
	patience   time.Duration
	off        chan struct{} // filled when the machine is off
	followed   chan struct{} // closed when the transcript is complete
	finished   bool
}

// Start starts the machine, with the Plain firmware unless the spec has another one, and ends it with the test.
func Start(t testing.TB, s Spec) *Machine {
	t.Helper()
	if s.Firmware == (qemu.Firmware{}) {
		firmware, err := qemu.FindFirmware(qemu.Plain)
		if err != nil {
			t.Fatal(err)
		}
		s.Firmware = firmware
	}
	if !s.Reboots {
		s.Extra = append(s.Extra[:len(s.Extra):len(s.Extra)], "-no-reboot")
	}
	if s.StaysOff {
		s.Extra = append(s.Extra[:len(s.Extra):len(s.Extra)], "-no-shutdown")
	}
	m := &Machine{t: t, transcript: NewTranscript(), ctx: t.Context(), patience: Patience, off: make(chan struct{}, 1), followed: make(chan struct{})}
	m.transcript.crashes = s.Crashes
	s.OnEvent = m.note
	process, err := s.Machine.Start(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	m.process = process
	go m.follow()
	t.Cleanup(m.end)
	return m
}

// switchedOff is what QEMU notes when the guest powers off. A guest that resets where it must not is "guest-reset".
const switchedOff = "[qemu] SHUTDOWN guest-shutdown"

// note puts what happens to the machine as a whole into the transcript.
func (m *Machine) note(e qmp.Event) {
	var data struct{ Reason string }
	if err := json.Unmarshal(e.Data, &data); err == nil && (e.Name == "RESET" || e.Name == "SHUTDOWN") {
		m.transcript.Note("[qemu] " + e.Name + " " + data.Reason)
	}
	if e.Name == "SHUTDOWN" {
		select {
		case m.off <- struct{}{}:
		default: // it is known already
		}
	}
}

// follow copies the serial port into the transcript until the machine ends.
func (m *Machine) follow() {
	defer close(m.followed)
	_, err := io.Copy(m.transcript, m.process.Serial)
	<-m.process.Done()
	<-m.process.QMP.Done()
	m.transcript.Close(errors.Join(errMachineEnded, err))
}

// end is the last thing that happens to a machine.
func (m *Machine) end() {
	m.t.Helper()
	if m.t.Failed() {
		m.save()
	}
	m.PowerCut()
	if err := m.process.Close(); err != nil {
		m.t.Error(err)
	}
	if !m.finished && !m.t.Failed() && !m.t.Skipped() {
		m.t.Error("the test ended without its last line: call Finish")
	}
	m.t.Logf("serial transcript:\n%s", m.transcript)
}

// save keeps the transcript and the screen of a failed test.
func (m *Machine) save() {
	m.t.Helper()
	folder := filepath.Join(Dist(), "failed")
	base := filepath.Join(folder, strings.ReplaceAll(m.t.Name(), "/", "-"))
	err := os.MkdirAll(folder, 0o755)
	if err == nil {
		err = os.WriteFile(base+".txt", []byte(m.transcript.String()), 0o644)
	}
	ctx, cancel := context.WithTimeout(context.Background(), screenshotLimit)
	defer cancel()
	if picture, shot := m.process.Screenshot(ctx); shot == nil {
		err = errors.Join(err, writePNG(base+".png", picture))
	}
	m.t.Logf("saved the transcript and, if the machine was on, its screen: %s.* %v", base, err)
}

// Expect waits for each of these in order and returns the line that fulfilled the last one.
func (m *Machine) Expect(wants ...Expectation) (line string) {
	m.t.Helper()
	for _, want := range wants {
		ctx, cancel := context.WithTimeout(m.ctx, m.patience)
		var err error
		line, err = m.transcript.Await(ctx, want)
		cancel()
		if err != nil {
			m.fatal(err)
		}
	}
	return line
}

// Never fails the test if any line so far fulfils one of these.
func (m *Machine) Never(unwanted ...Expectation) {
	m.t.Helper()
	for _, u := range unwanted {
		if m.transcript.Has(u) {
			m.t.Errorf("%s came, and must not", u)
		}
	}
}

// Count counts the lines so far that fulfil the expectation.
func (m *Machine) Count(want Expectation) int { return m.transcript.Count(want) }

// Finish waits for the line without which the test has proven nothing, and cuts the machine's power. Every test ends
// with Finish or ExpectOff.
func (m *Machine) Finish(last Expectation) (line string) {
	m.t.Helper()
	line = m.Expect(last)
	m.finished = true
	m.PowerCut()
	return line
}

// ExpectOff waits until the guest has switched the machine off.
func (m *Machine) ExpectOff() {
	m.t.Helper()
	select {
	case <-m.followed:
	case <-time.After(m.patience):
		m.fatal(errors.New("the machine is still on"))
	}
	if err := m.process.Wait(); err != nil {
		m.fatal(err)
	}
	if !m.transcript.Has(Text(switchedOff)) {
		m.fatal(errors.New("the machine ended, but the guest did not switch it off"))
	}
	m.finished = true
}

// PowerCut ends the machine without a warning. What it had written to its disks is on them, what it had said is in the
// transcript.
func (m *Machine) PowerCut() {
	m.process.Kill()
	<-m.followed
}

// Reset presses the reset button.
func (m *Machine) Reset() {
	m.t.Helper()
	if err := m.process.Reset(m.ctx); err != nil {
		m.fatal(err)
	}
}

// PowerButton presses the machine's power button.
func (m *Machine) PowerButton() {
	m.t.Helper()
	if err := m.process.PowerButton(m.ctx); err != nil {
		m.fatal(err)
	}
}

// AwaitOff waits until the guest has switched off a machine that StaysOff.
func (m *Machine) AwaitOff() {
	m.t.Helper()
	select {
	case <-m.off:
	case <-time.After(m.patience):
		m.fatal(errors.New("the machine is still on"))
	}
}

// PowerOn switches on a machine that the guest has switched off.
func (m *Machine) PowerOn() {
	m.t.Helper()
	if err := m.process.PowerOn(m.ctx); err != nil {
		m.fatal(err)
	}
}

// BlockStats returns what was written on a disk since the machine's start.
func (m *Machine) BlockStats(disk int) qemu.BlockStats {
	m.t.Helper()
	stats, err := m.process.BlockStats(m.ctx, disk)
	if err != nil {
		m.fatal(err)
	}
	return stats
}

// Type sends text or key sequences (see the Serial constants) on the serial port.
func (m *Machine) Type(text string) {
	m.t.Helper()
	if _, err := io.WriteString(m.process.Serial, text); err != nil {
		m.fatal(err)
	}
}

// What a terminal sends for keys that have no character (ECMA-48 cursor keys, as OVMF's terminal driver reads them).
const (
	SerialEnter  = "\r"
	SerialEscape = "\x1b"
	SerialUp     = "\x1b[A"
	SerialDown   = "\x1b[B"
)

// Press presses keys of the emulated keyboard.
func (m *Machine) Press(keys ...qemu.Key) {
	m.t.Helper()
	if err := m.process.PressKeys(m.ctx, keys...); err != nil {
		m.fatal(err)
	}
}

// TypeKeys presses the keys of a text of small letters and digits on the emulated keyboard, and Enter.
func (m *Machine) TypeKeys(text string) {
	m.t.Helper()
	for _, r := range text {
		m.Press(qemu.Key(r))
	}
	m.Press(qemu.KeyEnter)
}

// PressChord presses keys of the emulated keyboard together.
func (m *Machine) PressChord(keys ...qemu.Key) {
	m.t.Helper()
	if err := m.process.PressChord(m.ctx, keys...); err != nil {
		m.fatal(err)
	}
}

// Screenshot returns what the screen shows now.
func (m *Machine) Screenshot() image.Image {
	m.t.Helper()
	picture, err := m.process.Screenshot(m.ctx)
	if err != nil {
		m.fatal(err)
	}
	return picture
}

func (m *Machine) fatal(err error) {
	m.t.Helper()
	m.t.Fatalf("%v\nthe transcript ends with:\n%s", err, m.transcript.Tail(tailLines))
}

// Cut is Finish at a moment that the test has chosen by itself: all that was to be proven on this machine is.
func (m *Machine) Cut() {
	m.finished = true
	m.PowerCut()
}

// Unplug takes a device out of the machine, named by its QEMU ID, without asking the guest.
func (m *Machine) Unplug(id string) {
	m.t.Helper()
	if err := m.process.QMP.Execute(m.ctx, "device_del", map[string]string{"id": id}, nil); err != nil {
		m.fatal(err)
	}
}
