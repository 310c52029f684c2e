// Package content is what an installation holds: the file system of the EFI System
// Partition, the kernel slots, and the files that belong to this installation alone.
//
// [Disk] turns that into the contents of partitions, for images, disks of a host and disks
// of a machine that was booted from a stick. [Stick] gathers it from the disk that a machine
// was booted from. The package is pure: files and partitions come in as interfaces.
package content
