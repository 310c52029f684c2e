package kernel

import (
	"unicode/utf8"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

const (
	maxArguments   = 64
	maxOptionUnits = 2048 // UTF-16 units of load options that are looked at
)

// arguments are built as text in memory, each ended by NUL, between next and end. What does not fit is cut off.
type arguments struct {
	next, end uintptr
	n         int
	start     [maxArguments]uintptr
	open      bool   // the last argument is not ended
	quoted    bool   // inside of double quotes
	high      uint32 // high surrogate that waits for the low one
}

// EFI_LOADED_IMAGE_PROTOCOL (UEFI 2.10 §9.1.1) with offsets of its members.
var loadedImageProtocol = [2]uint64{0x11d295625b1b31a1, 0x3b7269c9a0003f8e}

const (
	imageFilePath    = 32
	imageOptionsSize = 48
	imageOptions     = 56
	imageBase        = 64
)

// EFI_SHELL_PARAMETERS_PROTOCOL (UEFI Shell 2.2 §2.3) begins with Argv and Argc.
var shellParametersProtocol = [2]uint64{0x4fdc4e16752f3136, 0xcaf41268f4e52aa2}

// readArguments makes os.Args. A UEFI shell has split them already. Otherwise the first one is the path of the application's
// file, and the rest are the words of the load options; double quotes keep words together. Load options that are no text
// (UEFI 2.10 §3.1.3 lets them be anything) are ignored.
func (k *Kernel) readArguments(args *arguments) {
	if shell := k.protocol(k.firmware.image, &shellParametersProtocol); shell != 0 {
		argv, argc := mem.LoadWord(shell), mem.LoadWord(shell+8)
		for i := range min(argc, maxArguments) {
			args.addText(mem.LoadWord(argv+i*8), maxOptionUnits)
		}
		return
	}
	image := k.protocol(k.firmware.image, &loadedImageProtocol)
	if image == 0 {
		return
	}
	args.addPath(mem.LoadWord(image + imageFilePath))
	if options := mem.LoadWord(image + imageOptions); options != 0 {
		args.split(options, min(uintptr(mem.Load32(image+imageOptionsSize))/2, maxOptionUnits))
	}
}

// addPath adds the text of the last file path node of a device path (UEFI 2.10 §10.3.5.4), which may be empty.
func (a *arguments) addPath(path uintptr) {
	const (
		mediaFilePath = 0x0404 // type 4, sub-type 4
		endNode       = 0x7f   // type
		header        = 4
	)
	text, units := uintptr(0), uintptr(0)
	for ; path != 0 && mem.Load8(path) != endNode; path += uintptr(mem.Load16(path + 2)) {
		length := uintptr(mem.Load16(path + 2))
		if length < header {
			break
		}
		if mem.Load16(path) == mediaFilePath {
			text, units = path+header, (length-header)/2
		}
	}
	a.addText(text, units)
}

// addText adds one argument, which ends at a NUL.
func (a *arguments) addText(text, units uintptr) {
	a.begin()
	for i := range units {
		unit := mem.Load16(text + i*2)
		if unit == 0 {
			break
		}
		a.addUnit(uint32(unit))
	}
	a.finish()
}

// split adds the words of a text.
func (a *arguments) split(text, units uintptr) {
	if !isText(text, units) {
		return
	}
	for i := range units {
		switch unit := mem.Load16(text + i*2); {
		case unit == 0:
			a.finish()
			return
		case unit == '"':
			a.begin()
			a.quoted = !a.quoted
		case (unit == ' ' || unit == '\t') && !a.quoted:
			a.finish()
		default:
			a.begin()
			a.addUnit(uint32(unit))
		}
	}
	a.finish()
}

// isText reports whether there are no control characters up to the end or the first NUL.
func isText(text, units uintptr) bool {
	for i := range units {
		switch unit := mem.Load16(text + i*2); {
		case unit == 0:
			return i > 0
		case unit < ' ' && unit != '\t' || unit >= 0xfffe:
			return false
		}
	}
	return units > 0
}

// begin starts an argument if none is open.
func (a *arguments) begin() {
	if !a.open && a.n < maxArguments && a.next < a.end {
		a.start[uint(a.n)%maxArguments] = a.next
		a.n++
		a.open = true
	}
}

func (a *arguments) finish() {
	a.flushHigh()
	if a.open {
		mem.Store8(a.next, 0) // begin and addBytes keep room for it
		a.next++
	}
	a.open, a.quoted = false, false
}

// addUnit adds a UTF-16 unit as UTF-8. A surrogate without its partner becomes U+FFFD.
func (a *arguments) addUnit(unit uint32) {
	low := unit >= 0xdc00 && unit < 0xe000
	switch {
	case low && a.high != 0:
		a.addChar(0x10000 + (a.high-0xd800)<<10 + (unit - 0xdc00))
		a.high = 0
		return
	case low:
		unit = utf8.RuneError
	}
	a.flushHigh()
	if unit >= 0xd800 && unit < 0xdc00 {
		a.high = unit
		return
	}
	a.addChar(unit)
}

// flushHigh adds the replacement for a high surrogate that nothing followed.
func (a *arguments) flushHigh() {
	if a.high != 0 {
		a.high = 0
		a.addChar(utf8.RuneError)
	}
}

func (a *arguments) addChar(char uint32) {
	switch {
	case char < 0x80:
		a.addBytes(1, uint8(char), 0, 0, 0)
	case char < 0x800:
		a.addBytes(2, 0xc0|uint8(char>>6), cont(char), 0, 0)
	case char < 0x10000:
		a.addBytes(3, 0xe0|uint8(char>>12), cont(char>>6), cont(char), 0)
	default:
		a.addBytes(4, 0xf0|uint8(char>>18), cont(char>>12), cont(char>>6), cont(char))
	}
}

// cont is a continuation byte with the low six bits.
func cont(bits uint32) uint8 { return 0x80 | uint8(bits&0x3f) }

// addBytes adds a whole character or, where there is no room left, nothing.
func (a *arguments) addBytes(n uintptr, b0, b1, b2, b3 uint8) {
	if !a.open || a.next+n >= a.end {
		return
	}
	for i, b := range [...]uint8{b0, b1, b2, b3} {
		if uintptr(i) < n {
			mem.Store8(a.next+uintptr(i), b)
		}
	}
	a.next += n
}
