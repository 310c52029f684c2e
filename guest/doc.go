// Package guest describes the guests of a machine: which there are, what each gets
// of the machine, and how QEMU is told. It is shared by rayimg, which prepares
// guests and shows them on a host, and the runtime, which runs them. It starts
// nothing.
package guest
