package uefi

import (
	"fmt"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// LoadImage loads an image from memory and returns its handle (UEFI 2.10 §7.4.1).
// src lies in [Pages]: what was verified there is what runs. path says where src
// came from; the image finds its device by it, and it may be empty.
//
// An image that the platform does not trust is ErrSecurityViolation (or
// ErrAccessDenied); nothing of it stays loaded.
func (s *System) LoadImage(src []byte, path DevicePath) (Handle, error) {
	if len(src) == 0 || !s.inPages(src) {
		return 0, fmt.Errorf("load image %v: the source does not lie in allocated pages", path)
	}
	var h Handle
	status := s.call(s.boot().LoadImage, gate.Bool(false), gate.Word(s.image), gate.Slice([]byte(path)),
		gate.Slice(src), gate.Word(len(src)), gate.Pointer(&h))
	if !status.IsError() {
		return h, nil
	}
	err := fmt.Errorf("load image %v: %w", path, status)
	if status == ErrSecurityViolation && h != 0 {
		// UEFI 2.10 §7.4.1: the image is loaded all the same, but must not start.
		err = join(err, s.UnloadImage(h))
	}
	return 0, err
}

// ExitError is the end of a started image that was not a success.
type ExitError struct {
	Status Status
	Text   string // what the image said about it, may be empty
}

func (e *ExitError) Error() string {
	if e.Text == "" {
		return e.Status.Error()
	}
	return e.Status.Error() + ": " + e.Text
}

func (e *ExitError) Unwrap() error { return e.Status }

// maxExitText bounds the text that an image may leave, in characters.
const maxExitText = 512

// StartImage runs a loaded image (UEFI 2.10 §7.4.2). A kernel does not come back;
// an application does, with nil if it was successful and with an error that holds
// an [*ExitError] otherwise. Firmware may refuse to start it, which is an error of
// the same form, such as ErrSecurityViolation.
//
// After an error the image is unloaded, whether it ran or not; an application is
// after a success too. Load options that were set for the image are freed.
func (s *System) StartImage(h Handle) error {
	// The firmware's own processor state has no Go memory: results go to pages.
	results, err := s.AllocatePages(2 * 8)
	if err != nil {
		return join(fmt.Errorf("start image: %w", err), s.UnloadImage(h))
	}
	clear(results.Bytes())
	status := Status(s.gate.CallNative(s.boot().StartImage, uintptr(h), results.Address(), results.Address()+8))
	exit, err := s.exitOf(status, results)
	if status.IsError() && s.loaded(h) {
		err = join(err, s.UnloadImage(h))
	} else {
		err = join(err, s.freeOptions(h))
	}
	if status.IsError() {
		return join(fmt.Errorf("start image: %w", exit), err)
	}
	if err != nil {
		return fmt.Errorf("start image: after its success: %w", err)
	}
	return nil
}

// exitOf takes the exit data and frees it, and the results that told of it: its
// size, then its address.
func (s *System) exitOf(status Status, results *Pages) (*ExitError, error) {
	exit := &ExitError{Status: status}
	words := raw.Slice[uintptr](results.Address(), 2)
	size, text := words[0], words[1]
	err := results.Free()
	if text != 0 {
		exit.Text = stringAt(text, int(min(size/2, maxExitText)))
		err = join(err, s.freePool(text))
	}
	return exit, err
}

// loaded reports whether an image is still there.
func (s *System) loaded(h Handle) bool {
	_, err := s.protocol(h, LoadedImageProtocol)
	return err == nil
}

// UnloadImage unloads an image that was not started (UEFI 2.10 §7.4.3).
func (s *System) UnloadImage(h Handle) error {
	err := s.freeOptions(h)
	if status := s.call(s.boot().UnloadImage, gate.Word(h)); status.IsError() {
		err = join(fmt.Errorf("unload image: %w", status), err)
	}
	return err
}
