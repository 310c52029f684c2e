package goefi

// The first serial port of a PC, a 16550 at its usual place, as the firmware has set it up.
const (
	serialData   = 0x3f8
	serialStatus = 0x3fd

	serialReady  = 1 << 5
	serialAbsent = 0xff // no device answers
	serialTries  = 100_000
)

// Serial sends a byte, or drops it when the port is not there or stuck.
func (*machine) Serial(c byte) {
	for range serialTries {
		switch status := readPort(serialStatus); {
		case status == serialAbsent:
			return
		case status&serialReady != 0:
			writePort(serialData, c)
			return
		}
	}
}

func readPort(port uint16) uint8

func writePort(port uint16, value uint8)
