package watchdog

import "time"

// tcoGeneration tells where a chipset has the registers of its TCO and how long a
// tick is. The numbers are those of Linux's iTCO_wdt.
type tcoGeneration uint8

const (
	// tcoV2, from ICH9 to 9 Series: ticks of 0.6 s; NO_REBOOT is in the register
	// GCS of the root complex.
	tcoV2 tcoGeneration = 2

	// tcoV3, the Atom chips of 2013 to 2015: ticks of 1 s; NO_REBOOT is in the
	// register PMC_CFG of the power management controller.
	tcoV3 tcoGeneration = 3

	// tcoV6, from Cannon Lake on: ticks of 0.6 s; the PCI device is the SMBus
	// controller, and NO_REBOOT is in TCO1_CNT.
	tcoV6 tcoGeneration = 6
)

// tick is the time of one count.
func (g tcoGeneration) tick() time.Duration {
	if g == tcoV3 {
		return time.Second
	}
	return 600 * time.Millisecond
}

// tcoChipsets are the PCI device IDs, in ranges, of LPC bridges and, for tcoV6, of
// SMBus controllers. Skylake's generation hides its NO_REBOOT and is not here.
var tcoChipsets = []struct {
	first, last uint16
	generation  tcoGeneration
}{
	{0x2912, 0x2919, tcoV2}, // ICH9
	{0x3a14, 0x3a1a, tcoV2}, // ICH10
	{0x3b00, 0x3b16, tcoV2}, // 5 Series and 3400 Series
	{0x1c41, 0x1c5f, tcoV2}, // 6 Series (Cougar Point)
	{0x1d40, 0x1d41, tcoV2}, // C600 (Patsburg)
	{0x1e40, 0x1e5f, tcoV2}, // 7 Series (Panther Point)
	{0x2310, 0x2310, tcoV2}, // DH89xxCC
	{0x2390, 0x2390, tcoV2}, // DH895xCC (Coleto Creek)
	{0x8c40, 0x8c5f, tcoV2}, // 8 Series (Lynx Point)
	{0x8cc1, 0x8cc6, tcoV2}, // 9 Series
	{0x8d40, 0x8d5f, tcoV2}, // C610 (Wellsburg)
	{0x9c40, 0x9c47, tcoV2}, // Lynx Point-LP
	{0x9cc1, 0x9cc9, tcoV2}, // Wildcat Point-LP

	{0x0f1c, 0x0f1c, tcoV3}, // Bay Trail
	{0x1f38, 0x1f3b, tcoV3}, // Avoton
	{0x229c, 0x229c, tcoV3}, // Braswell

	{0x02a3, 0x02a3, tcoV6}, // Comet Lake-LP
	{0x06a3, 0x06a3, tcoV6}, // Comet Lake-H
	{0x18df, 0x18df, tcoV6}, // Cedar Fork
	{0x1bc9, 0x1bc9, tcoV6}, // Emmitsburg
	{0x34a3, 0x34a3, tcoV6}, // Ice Lake-LP
	{0x38a3, 0x38a3, tcoV6}, // Ice Lake-N
	{0x43a3, 0x43a3, tcoV6}, // Tiger Lake-H
	{0x4b23, 0x4b23, tcoV6}, // Elkhart Lake
	{0x4da3, 0x4da3, tcoV6}, // Jasper Lake
	{0x51a3, 0x51a3, tcoV6}, // Alder Lake-P
	{0x54a3, 0x54a3, tcoV6}, // Alder Lake-M
	{0x7a23, 0x7a23, tcoV6}, // Raptor Lake-S
	{0x7aa3, 0x7aa3, tcoV6}, // Alder Lake-S
	{0x7e22, 0x7e22, tcoV6}, // Meteor Lake-P
	{0x9da3, 0x9da3, tcoV6}, // Cannon Lake-LP
	{0xa0a3, 0xa0a3, tcoV6}, // Tiger Lake-LP
	{0xa323, 0xa323, tcoV6}, // Cannon Lake-H
}

// tcoChipsetOf is the generation of the TCO in a device of Intel's.
func tcoChipsetOf(device uint16) (tcoGeneration, bool) {
	for _, c := range tcoChipsets {
		if device >= c.first && device <= c.last {
			return c.generation, true
		}
	}
	return 0, false
}
