package fakefw

import (
	"fmt"
	"runtime"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Function is a function of the firmware; args are at least 12 words.
type Function func(args []uintptr) uefi.Status

// service is a function with the name by which calls are logged.
type service struct {
	name string
	call Function
}

// Firmware is one machine.
type Firmware struct {
	// OnLoad decides on an image that LoadImage was given; without it, what
	// begins with "MZ" loads and all else is ErrUnsupported. After
	// ErrSecurityViolation the image stays loaded, as the specification has it.
	OnLoad func(*Image) uefi.Status

	// OnStart is the body of a started image; without it, every image is a
	// kernel that takes the machine over.
	OnStart func(*Image) Exit

	sys      *uefi.System
	services []service

	calls    []string
	failAt   int // index into calls, -1 if none
	failWith uefi.Status

	memory    memory
	handles   []*handle
	app       uefi.Handle
	appRecord *raw.LoadedImageProtocol
	events    map[uintptr]*event
	now       time.Duration // since New
	nextID    uintptr

	keys      []timedKey
	console   console
	variables []variable
	images    map[uefi.Handle]*Image
	disks     int
	openFiles map[uintptr]*openFile
	files     raw.FileProtocol // the functions of all files
	watchdog  time.Duration

	table      *raw.SystemTable
	tablesHere bool // ACPI tables are in the firmware's own memory
}

// New makes a machine with an 80 by 25 console, a random number generator and no
// disk.
func New() *Firmware {
	fw := &Firmware{
		failAt: -1, nextID: 0x1000, events: make(map[uintptr]*event),
		images: make(map[uefi.Handle]*Image), openFiles: make(map[uintptr]*openFile),
	}
	fw.memory.init()
	table := fw.buildTables()
	fw.files = fw.fileProtocol()
	sys, err := uefi.New((*callGate)(fw), fw.app, table)
	if err != nil {
		panic("fakefw: " + err.Error())
	}
	fw.sys = sys
	return fw
}

// System is the machine as a program sees it.
func (fw *Firmware) System() *uefi.System { return fw.sys }

// Close frees the machine's memory. Neither it nor its System may be used then.
func (fw *Firmware) Close() { fw.memory.close() }

// Now is the machine's time since New. It passes when the program waits.
func (fw *Firmware) Now() time.Duration { return fw.now }

// Watchdog is what the watchdog timer is set to, 0 if it is off.
func (fw *Firmware) Watchdog() time.Duration { return fw.watchdog }

// Calls is the number of calls into the firmware since New.
func (fw *Firmware) Calls() int { return len(fw.calls) }

// CallLog lists the names of all calls since New, such as "File.Read".
func (fw *Firmware) CallLog() []string { return append([]string(nil), fw.calls...) }

// FailCall makes the nth call from now (1 is the next one) fail with a status
// instead of doing anything. Calls that release something do it all the same, so
// that a leak is always the program's fault.
func (fw *Firmware) FailCall(n int, status uefi.Status) {
	fw.failAt, fw.failWith = len(fw.calls)+n-1, status
}

// Override replaces a function, named as in CallLog, in order to lie, and returns
// the replaced one. Disks and displays have functions of their own: of several,
// the first one's is replaced. It panics if there is none of that name.
func (fw *Firmware) Override(name string, f Function) Function {
	for i := range fw.services {
		if fw.services[i].name == name {
			old := fw.services[i].call
			fw.services[i].call = f
			return old
		}
	}
	panic("fakefw: no function " + name)
}

// Function addresses are tokens no processor can jump to: not canonical on
// amd64, and odd.
const (
	tokenBase = 0xfa4e_0000_0000_0001
	tokenStep = 2
)

// register makes a function and returns its token.
func (fw *Firmware) register(name string, f Function) uintptr {
	fw.services = append(fw.services, service{name, f})
	return tokenBase + tokenStep*uintptr(len(fw.services)-1)
}

// releases are the functions that do their work even if they are made to fail.
var releases = map[string]bool{"FreePages": true, "FreePool": true, "CloseEvent": true, "File.Close": true}

func (fw *Firmware) dispatch(fn uintptr, words []uintptr) uefi.Status {
	index := (fn - tokenBase) / tokenStep
	if fn < tokenBase || index >= uintptr(len(fw.services)) {
		panic(fmt.Sprintf("fakefw: call of %#x, which is no function", fn))
	}
	s := fw.services[index]
	fw.calls = append(fw.calls, s.name)
	args := make([]uintptr, max(12, len(words)))
	copy(args, words)
	if fw.failAt == len(fw.calls)-1 {
		switch {
		case releases[s.name]:
			s.call(args)
		case s.name == "File.Delete": // which closes the file even if it does not delete it
			fw.fileClose(nil, args)
		}
		return fw.failWith
	}
	return s.call(args)
}

// callGate is the Firmware as package uefi calls it.
type callGate Firmware

func (g *callGate) Call(fn uintptr, args ...gate.Arg) uintptr {
	status := (*Firmware)(g).dispatch(fn, gate.Values(args))
	runtime.KeepAlive(args)
	return uintptr(status)
}

func (g *callGate) CallNative(fn uintptr, args ...uintptr) uintptr {
	return uintptr((*Firmware)(g).dispatch(fn, args))
}

func (g *callGate) LoadFile2Entry() uintptr { return loadFile2Token }

// newID makes a number for a handle or an event.
func (fw *Firmware) newID() uintptr {
	fw.nextID += 0x10
	return fw.nextID
}
