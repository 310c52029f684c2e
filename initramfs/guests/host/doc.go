// Package host is the program that runs guests and shows them: one long-lived process, kept by process 1.
//
// It owns a QEMU for each guest, kept by a supervisor of its own; the back-end of each guest's screen; the machine's
// screen and keyboard while a guest is shown; and the socket at which the commands guest and show ask. All that a guest
// says is decoded here. When the program ends, process 1 ends whatever it has started: a new one begins clean.
//
// What to tell people it writes to a descriptor of its own, the guests' consoles to its standard output; see package
// guests.
package host
