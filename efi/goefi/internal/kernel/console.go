package kernel

import (
	"unicode/utf8"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// console turns the bytes that a program writes into UCS-2 for EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL (UEFI 2.10 §12.4). Characters
// may be split over several writes. What is no valid UTF-8 and what lies beyond the Basic Multilingual Plane shows as U+FFFD.
type console struct {
	used   uint                    // units in text
	column uint                    // since the last new line, for tabs
	text   [consoleSize + 1]uint16 // the last is for the terminating NUL
	char   uint32                  // the bits so far of a character
	more   uint8                   // bytes that it still needs
	least  uint32                  // what it must not be below, or it could be said in fewer bytes
}

const (
	consoleSize = 254
	tabWidth    = 8

	// outputString is the offset of the protocol's member.
	outputString = 8
)

// print writes size bytes of UTF-8 at from to the firmware's console.
func (k *Kernel) print(from, size uintptr) {
	for i := uintptr(0); i < size; i++ {
		k.printByte(mem.Load8(from + i))
	}
	k.flush()
}

// Report prints text of the kernel's own on the serial port, and on the console once the line is complete.
func (k *Kernel) Report(text string) {
	for i := range len(text) {
		k.reportByte(text[i])
	}
}

// ReportHex is Report for a number.
func (k *Kernel) ReportHex(value uint64) {
	k.reportByte('0')
	k.reportByte('x')
	for shift := 60; shift >= 0; shift -= 4 {
		k.reportByte("0123456789abcdef"[value>>(shift&63)&15])
	}
}

func (k *Kernel) reportByte(c byte) {
	if c == '\n' {
		k.Machine.Serial('\r')
	}
	k.Machine.Serial(c)
	k.printByte(c)
	if c == '\n' {
		k.flush()
	}
}

// printByte decodes one byte of UTF-8 (RFC 3629).
func (k *Kernel) printByte(b byte) {
	c := &k.console
	if c.more > 0 {
		if b&0xc0 == 0x80 {
			c.char = c.char<<6 | uint32(b&0x3f)
			if c.more--; c.more == 0 {
				k.printDecoded(c.char)
			}
			return
		}
		c.more = 0
		k.printChar(utf8.RuneError) // broken off
	}
	switch {
	case b < 0x80:
		k.printChar(uint32(b))
	case b >= 0xc2 && b < 0xe0:
		c.char, c.more, c.least = uint32(b&0x1f), 1, 0x80
	case b >= 0xe0 && b < 0xf0:
		c.char, c.more, c.least = uint32(b&0x0f), 2, 0x800
	case b >= 0xf0 && b < 0xf5:
		c.char, c.more, c.least = uint32(b&0x07), 3, 0x10000
	default:
		k.printChar(utf8.RuneError)
	}
}

// printDecoded prints a character of several bytes, unless it is none: too long a form, a surrogate, or beyond UCS-2.
func (k *Kernel) printDecoded(char uint32) {
	if char < k.console.least || char > 0xffff || char >= 0xd800 && char < 0xe000 {
		char = utf8.RuneError
	}
	k.printChar(char)
}

// printChar puts one character into the line, with CR before LF and blanks for a tab.
func (k *Kernel) printChar(char uint32) {
	c := &k.console
	switch char {
	case 0: // would end the text
	case '\n':
		k.printUnit('\r')
		k.printUnit('\n')
		c.column = 0
	case '\t':
		k.printUnit(' ')
		for c.column%tabWidth != 0 {
			k.printUnit(' ')
		}
	default:
		k.printUnit(uint16(char))
	}
}

func (k *Kernel) printUnit(unit uint16) {
	c := &k.console
	if c.used >= consoleSize {
		k.flush()
	}
	c.text[c.used%consoleSize] = unit
	c.used++
	c.column++
}

// flush hands the text to the firmware.
func (k *Kernel) flush() {
	c := &k.console
	if c.used == 0 || k.firmware.conOut == 0 {
		return
	}
	c.text[min(c.used, consoleSize)] = 0
	c.used = 0
	k.call(mem.LoadWord(k.firmware.conOut+outputString), k.firmware.conOut, address(&c.text), 0, 0)
}
