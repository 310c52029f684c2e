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
// Linux 6.1.0-50 of Debian in QEMU 7.2, each timer armed for 30 s:
//
//   - i6300esb stops it when it is loaded. A machine on which nobody opens the
//     device is never reset. In sysfs the device has no parent, only its identity tells it.
//   - iTCO_wdt halts it when it is loaded, likewise. When it runs again, the machine
//     is reset after up to twice the time-out that was set: the timer counts down
//     twice, and the driver leaves the first time to the firmware.
//   - wdat_wdt leaves it running, and the kernel feeds it until the device is opened:
//     for ever, or for as long as watchdog.open_timeout=SECONDS says. With 30 s and
//     nobody to open it, the machine was reset 30 s after the module was loaded.
//     The module "watchdog" has this parameter, and gets it from whoever loads it:
//     the kernel does not hand its command line to modules.
//
// So with the first two nothing watches between loading the module and opening the
// device, and both are done before anything else that may hang. The identity says
// which device is the right one: a q35 machine with an i6300esb has the chipset's
// timer besides.
//
// None of these drivers has a pre-time-out in Linux 6.1. [Machine.Lead] is its
// substitute: time is up a little before the timer resets the machine.
//
// At reboot(2) all three drivers stop the timer themselves.
package watchdog
