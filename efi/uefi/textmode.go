package uefi

import (
	"fmt"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// TextMode is one size of the text screen. Number is what SetMode takes.
type TextMode struct {
	Number     int
	Cols, Rows int
}

// maxModes bounds how many modes a device may claim.
const maxModes = 256

// state is the console's SIMPLE_TEXT_OUTPUT_MODE as it is now.
func (t *TextOutput) state() (*raw.SimpleTextOutputMode, error) {
	_, p, err := t.open()
	if err != nil {
		return nil, err
	}
	if p.Mode == 0 {
		return nil, ErrUnsupported
	}
	return raw.At[raw.SimpleTextOutputMode](p.Mode), nil
}

// Size is the number of columns and rows of the current mode, each at least 1.
func (t *TextOutput) Size() (cols, rows int, err error) {
	state, err := t.state()
	if err != nil {
		return 0, 0, fmt.Errorf("get console size: %w", err)
	}
	m, err := t.query(int(state.Mode))
	if err != nil {
		return 0, 0, fmt.Errorf("get console size: %w", err)
	}
	return m.Cols, m.Rows, nil
}

// Modes are the sizes that the screen can have; modes that the firmware leaves
// out (80 by 50 may be missing) are not listed.
func (t *TextOutput) Modes() ([]TextMode, error) {
	state, err := t.state()
	if err != nil {
		return nil, fmt.Errorf("list console modes: %w", err)
	}
	var modes []TextMode
	for n := range min(int(state.MaxMode), maxModes) {
		m, err := t.query(n)
		if err != nil {
			continue // UEFI 2.10 §12.4.2: mode 1 may be unsupported, as may others on one of several consoles
		}
		modes = append(modes, m)
	}
	return modes, nil
}

// SetMode changes the size of the screen, which clears it.
func (t *TextOutput) SetMode(number int) error {
	this, p, err := t.open()
	if err != nil {
		return err
	}
	if err := t.sys.call(p.SetMode, gate.Word(this), gate.Word(number)).Err(); err != nil {
		return fmt.Errorf("set console mode %d: %w", number, err)
	}
	return nil
}

func (t *TextOutput) query(number int) (TextMode, error) {
	this, p, err := t.open()
	if err != nil {
		return TextMode{}, err
	}
	var cols, rows uintptr
	status := t.sys.call(p.QueryMode, gate.Word(this), gate.Word(number), gate.Pointer(&cols), gate.Pointer(&rows))
	if err := status.Err(); err != nil {
		return TextMode{}, fmt.Errorf("query console mode %d: %w", number, err)
	}
	const most = 1 << 12
	if cols < 1 || cols > most || rows < 1 || rows > most {
		return TextMode{}, fmt.Errorf("query console mode %d: the firmware claims %d columns and %d rows", number, cols, rows)
	}
	return TextMode{number, int(cols), int(rows)}, nil
}
