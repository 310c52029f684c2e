// Package image makes RayOS disk images: [Build] takes the finished parts (the
// boot manager, a kernel, an initrd, command lines, further files) and writes
// one sparse file with the partition table, the EFI System Partition and the
// kernel slot. Getting the parts is the business of the commands.
//
// The image appears under its name only when it is complete and durable.
// Equal specifications with a seed give equal bytes. The format is described
// in docs/on-disk.md.
package image
