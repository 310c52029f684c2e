// Package fakefw is UEFI firmware in the memory of a host process, for tests of
// what runs on package uefi. It has a console, volumes, disks, variables, images,
// memory and a clock of its own, and the registers that a test gives it; nothing
// in it waits or depends on the host.
//
//	fw := fakefw.New()
//	defer fw.Close()
//	fw.AddVolume(fakefw.Files{"loader/entries/a.conf": "title A\n..."})
//	fw.Type("j\r")
//	end := fw.Run(func() { bootmanager(fw.System()) })
//	// end.Image.CommandLine, fw.Screen().String(), fw.Leaks() ...
//
// A System of it reaches everything in the way it reaches real firmware: through
// tables and protocol structs in memory whose function addresses are tokens that
// the fake resolves. So the layouts, the arguments and the order of the calls are
// under test too. The fake is strict where firmware is silent: memory that a
// device would touch must be allocated pages, and freed pages are gone.
//
// Any call can be made to fail ([Firmware.FailCall], [EachFailure]) or to lie
// ([Firmware.Override]). A Firmware is used by one goroutine at a time.
//
// Specification: UEFI 2.10.
package fakefw
