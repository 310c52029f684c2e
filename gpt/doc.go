// Package gpt owns the partition table of a RayOS disk: the layout of the
// five partitions, the checks that every layout must pass, and a bounded
// decoder of a GUID Partition Table that reports what is wrong with it.
//
// It is pure: it reads through an [io.ReaderAt] and never writes. Writing a
// table is the business of the host tools, which read the result back through
// [Read] before they trust it. All positions are bytes, so one layout serves
// disks of 512-byte and of 4096-byte sectors.
//
// Specification: UEFI 2.10 §5 (GUID Partition Table).
package gpt
