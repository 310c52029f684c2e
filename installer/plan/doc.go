// Package plan decides what an installation does to a disk, before anything is written: it
// knows what a disk is ([Disk]), whether it may be written ([Disk.Refusals]), where the
// partitions will lie ([Layout]), and puts both into a [Plan], which holds for exactly this
// disk in exactly this state.
//
// The rules are the same on the host and on the machine that was booted from an install
// stick. The package is pure: package disks finds the disks, package write carries a plan
// out.
package plan
