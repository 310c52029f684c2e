// Package watchdog drives the hardware watchdog timers that a boot manager can
// arm before it starts a system: a system that hangs before it feeds the timer
// is reset, and the boot manager sees its attempt still open.
//
//	dogs, err := watchdog.Find(hardware)
//	...
//	actual, err := dogs[0].Arm(30 * time.Second)
//	... // start the system; if it returns:
//	err = dogs[0].Disarm()
//
// It knows the timer that the firmware describes in the ACPI table WDAT, the one
// in Intel's chipsets (TCO) from ICH9 on, and the Intel 6300ESB, which QEMU
// emulates as i6300esb. The drivers are logic over [Hardware], registers that
// somebody else reaches. They never wait and never loop on a device: what a
// device does not take or does not report back is an error.
//
// A system that does not know of the timer is reset by it, however healthy: arm it
// for systems that take it over, and for no others.
//
// # Which driver takes over
//
// Only one timer may be armed, the first that [Find] returns: a system feeds one,
// and each one left over resets the machine. Find decides as Linux does, and Name
// is the Linux module that drives the same device:
//
//   - wdat_wdt takes the timer of WDAT. Where that table is, Linux leaves the TCO
//     alone, even if the table is of no use to it, and so does Find. A table that
//     reaches into the real-time clock's ports is not there for either.
//   - i6300esb takes the 6300ESB. It stops the timer when it is loaded.
//   - iTCO_wdt takes the TCO; lpc_ich (up to 9 Series) or i2c_i801 (from Cannon
//     Lake on) finds the device for it. Kernels before 6.8, apart from stable ones
//     of 2024 and later, halt the timer or set NO_REBOOT when they load it.
//
// A timer that was stopped counts again when somebody opens its /dev/watchdog. So
// a system loads the module early, within the time armed, and opens the device at
// once; of several it opens that of the module whose timer was armed. Loading any
// of the three also clears what [Watchdog.Fired] reports. Linux then says it as
// WDIOF_CARDRESET in the device's boot status, except for the TCO.
//
// Kernels with CONFIG_WATCHDOG_HANDLE_BOOT_ENABLED, which is usual, feed a timer
// that they find running until somebody opens it, for ever. The kernel parameter
// watchdog.open_timeout=SECONDS ends that: without it a system whose kernel runs
// and whose userland hangs is never reset.
//
// Specifications: Microsoft "Hardware Watchdog Timers Design Specification" 1.0
// (WDAT), ACPI 6.5 §5.2, Intel 6300ESB (300641), Intel I/O Controller Hub 9
// (316972) §13.9.
package watchdog
