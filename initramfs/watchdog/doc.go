// Package watchdog keeps the machine's hardware watchdog fed from Linux, as long
// as all that must be alive is alive, and does what the policy says when it is
// not: then the timer is fed no more, and resets the machine.
//
//   - [Machine] decides when to feed, when time is up and what then. It is pure.
//   - [Services] knows who must be alive, and since when somebody is not. So is it.
//   - [List], [Choose] and [Info.Open] find and drive /dev/watchdogN.
//   - [Guard] has the three of them work together in process 1, and [Serve] and
//     [Ask] let the command watchdog talk to it.
//
// # What is taken over, and when
//
// The boot manager arms the timer before it starts the kernel, and names the
// module of its driver. What these do with a timer that counts, measured with
// Linux 6.1.0-50 of Debian in QEMU 7.2:
//
//   - i6300esb stops it when it is loaded. A machine on which nobody opens the
//     device is never reset. In sysfs the device has no parent, only its identity
//     tells it.
//   - iTCO_wdt and wdat_wdt leave it running, and the kernel feeds it until the device is
//     opened: for ever, or for as long as watchdog.open_timeout=SECONDS says. With 30 s
//     and nobody to open the device, the machine was reset 60 s and 30 s after the
//     module was loaded: the TCO counts down twice, and its driver sets the time of the
//     first countdown only.
//
// The parameter open_timeout is one of the module "watchdog", and comes from whoever
// loads that: the kernel does not hand its command line to modules.
//
// iTCO_wdt takes a TCO for running that is merely not halted, as QEMU's is from the
// start. So a machine with an i6300esb is reset by its TCO, which nobody has armed:
// with open_timeout, every timer that a driver found running must be opened. The
// runtime opens all, and stops those that are not the one to be fed. Which one that is, the
// identity says.
//
// None of these drivers has a pre-time-out in Linux 6.1. [Machine.Lead] is its
// substitute: time is up a little before the timer resets the machine.
//
// At reboot(2) all three drivers stop the timer themselves.
package watchdog
