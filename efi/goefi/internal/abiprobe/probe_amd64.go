// Package abiprobe is a function of a firmware for tests of the call gate on any host: written in assembly in the Microsoft x64
// calling convention, it records how it was called and then spoils all that the convention lets it spoil.
package abiprobe

// Record is what the last call of the function found.
type Record struct {
	CX, DX, R8, R9 uint64
	Stack          [8]uint64 // arguments from the fifth on
	SP             uint64    // before the return address was pushed
}

// Last is written by the function.
var Last Record

// Result is what the function returns.
const Result = 0x8000000000000123

// Function returns the address of the function.
func Function() uintptr

// Spoiled is the pattern that the function leaves in volatile registers and in the caller's argument area.
const Spoiled = 0x5c5c5c5c5c5c5c5c
