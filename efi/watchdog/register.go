package watchdog

import "fmt"

// space is where a register lies.
type space uint8

const (
	memorySpace space = iota
	portSpace
	configSpace
)

// register is one register of the machine, of 1, 2 or 4 bytes.
type register struct {
	hw       Hardware
	space    space
	function uint32 // of configSpace
	address  uint64
	size     int
}

// String names the register in errors.
func (r register) String() string {
	switch r.space {
	case portSpace:
		return fmt.Sprintf("port %#x", r.address)
	case configSpace:
		return fmt.Sprintf("PCI configuration %#x of %04x:%02x:%02x.%x", r.address,
			r.function>>16, r.function>>8&0xff, r.function>>3&0x1f, r.function&7)
	}
	return fmt.Sprintf("memory %#x", r.address)
}

func (r register) read() (value uint32, err error) {
	switch r.space {
	case portSpace:
		value, err = r.hw.ReadPort(uint16(r.address), r.size)
	case configSpace:
		value, err = r.hw.ReadConfig(r.function, int(r.address), r.size)
	default:
		value, err = r.hw.ReadMemory(r.address, r.size)
	}
	if err != nil {
		return 0, fmt.Errorf("read %v: %w", r, err)
	}
	return value, nil
}

func (r register) write(value uint32) (err error) {
	switch r.space {
	case portSpace:
		err = r.hw.WritePort(uint16(r.address), r.size, value)
	case configSpace:
		err = r.hw.WriteConfig(r.function, int(r.address), r.size, value)
	default:
		err = r.hw.WriteMemory(r.address, r.size, value)
	}
	if err != nil {
		return fmt.Errorf("write %v: %w", r, err)
	}
	return nil
}

// bits reads the register and reports whether any of these are set.
func (r register) bits(mask uint32) (bool, error) {
	value, err := r.read()
	return value&mask != 0, err
}

// set changes the bits of mask and of unchecked to those of value and leaves the
// others as they are. It makes sure that those of mask were taken.
func (r register) set(mask, value, unchecked uint32) error {
	old, err := r.read()
	if err != nil {
		return err
	}
	want := old&^(mask|unchecked) | value
	if err := r.write(want); err != nil {
		return err
	}
	got, err := r.read()
	if err != nil {
		return err
	}
	if got&mask != value&mask {
		return fmt.Errorf("%v does not take its bits %#x: they read %#x after writing %#x", r, mask, got&mask, value)
	}
	return nil
}

// clearStatus clears status bits, which are cleared by writing ones. Emulated
// devices may store what is written instead: those get zeros.
func (r register) clearStatus(mask uint32) error {
	for _, value := range []uint32{mask, 0} {
		set, err := r.bits(mask)
		if err != nil || !set {
			return err
		}
		if err := r.write(value); err != nil {
			return err
		}
	}
	set, err := r.bits(mask)
	if err == nil && set {
		err = fmt.Errorf("%v keeps its bits %#x set", r, mask)
	}
	return err
}
