package uefi

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// ScanCode is the scan code of a key that has no character (UEFI 2.10 §12.1.2).
type ScanCode uint16

// The scan codes. ScanNone is the code of keys that have a character.
const (
	ScanNone     ScanCode = 0x00
	ScanUp       ScanCode = 0x01
	ScanDown     ScanCode = 0x02
	ScanRight    ScanCode = 0x03
	ScanLeft     ScanCode = 0x04
	ScanHome     ScanCode = 0x05
	ScanEnd      ScanCode = 0x06
	ScanInsert   ScanCode = 0x07
	ScanDelete   ScanCode = 0x08
	ScanPageUp   ScanCode = 0x09
	ScanPageDown ScanCode = 0x0a
	ScanF1       ScanCode = 0x0b
	ScanF2       ScanCode = 0x0c
	ScanF3       ScanCode = 0x0d
	ScanF4       ScanCode = 0x0e
	ScanF5       ScanCode = 0x0f
	ScanF6       ScanCode = 0x10
	ScanF7       ScanCode = 0x11
	ScanF8       ScanCode = 0x12
	ScanF9       ScanCode = 0x13
	ScanF10      ScanCode = 0x14
	ScanF11      ScanCode = 0x15
	ScanF12      ScanCode = 0x16
	ScanEscape   ScanCode = 0x17
)

// Characters of control keys.
const (
	KeyBackspace = '\b'
	KeyTab       = '\t'
	KeyEnter     = '\r'
)

// Key is one key stroke: a scan code, or else a character. A character is a UCS-2
// unit, so never beyond U+FFFF.
type Key struct {
	Scan ScanCode
	Rune rune
}

// TextInput is the console's keyboard and, where firmware redirects the console,
// the serial line (EFI_SIMPLE_TEXT_INPUT_PROTOCOL, UEFI 2.10 §12.3). Without a
// console all methods say ErrUnsupported.
type TextInput struct{ sys *System }

// ConIn is the console's input.
func (s *System) ConIn() *TextInput { return &TextInput{s} }

func (t *TextInput) open() (uintptr, *raw.SimpleTextInputProtocol, error) {
	this := t.sys.table.ConIn
	if this == 0 {
		return 0, nil, fmt.Errorf("open console input: %w", ErrUnsupported)
	}
	return this, raw.At[raw.SimpleTextInputProtocol](this), nil
}

// ReadKey takes the next key stroke; false if none is waiting.
func (t *TextInput) ReadKey() (Key, bool, error) {
	this, p, err := t.open()
	if err != nil {
		return Key{}, false, err
	}
	var key raw.InputKey
	status := t.sys.call(p.ReadKeyStroke, gate.Word(this), gate.Pointer(&key))
	switch {
	case status == ErrNotReady:
		return Key{}, false, nil
	case status.IsError():
		return Key{}, false, fmt.Errorf("read key: %w", status)
	}
	k := Key{Scan: ScanCode(key.ScanCode), Rune: rune(key.UnicodeChar)}
	return k, k != Key{}, nil
}

// maxDrained bounds the key strokes that Drain takes: a device that always has
// one more must not hold the machine.
const maxDrained = 1024

// Drain throws away the key strokes that are waiting.
func (t *TextInput) Drain() error {
	for range maxDrained {
		if _, ok, err := t.ReadKey(); !ok {
			return err
		}
	}
	return fmt.Errorf("drain keys: more than %d are waiting", maxDrained)
}

// WaitKey takes the next key stroke, waiting for at most the timeout; false if
// none came. A timeout of 0 does not wait, a negative one waits forever. The
// processor sleeps in the firmware meanwhile and no goroutine runs.
func (t *TextInput) WaitKey(timeout time.Duration) (Key, bool, error) {
	if key, ok, err := t.ReadKey(); ok || err != nil || timeout == 0 {
		return key, ok, err
	}
	if timeout < 0 {
		return t.waitKey(0)
	}
	timer, err := t.sys.newTimer(timeout)
	if err != nil {
		return Key{}, false, fmt.Errorf("wait for key: %w", err)
	}
	key, ok, err := t.waitKey(timer)
	return key, ok, join(err, t.sys.closeEvent(timer))
}

// maxSpuriousWakes bounds the wake-ups without a key, such as a Shift key alone,
// after which WaitKey returns as if its time were over.
const maxSpuriousWakes = 1024

// waitKey waits for a key or the timer, forever if that is 0.
func (t *TextInput) waitKey(timer event) (Key, bool, error) {
	_, p, err := t.open()
	if err != nil {
		return Key{}, false, err
	}
	events := []event{event(p.WaitForKey)}
	if timer != 0 {
		events = append(events, timer)
	}
	for range maxSpuriousWakes {
		index, err := t.sys.waitForEvent(events)
		if err != nil {
			return Key{}, false, fmt.Errorf("wait for key: %w", err)
		}
		key, ok, err := t.ReadKey()
		if ok || err != nil || index == 1 {
			return key, ok, err
		}
	}
	return Key{}, false, nil
}
