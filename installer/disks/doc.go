// Package disks finds the disks of a Linux machine and says what they are: from sysfs, from
// what is mounted, and from a few bounded reads of each disk. It never writes.
//
// Whether a disk may be written is decided by package plan, from what this package tells.
package disks
