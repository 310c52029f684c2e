// Package fat32 owns FAT32 volumes as they are used for an EFI System
// Partition: [Create] writes a fresh volume with its whole content in one go,
// [Open] reads a volume, hostile ones included, as an [io/fs.FS], and [Check]
// says what is wrong with one.
//
// Of a volume that exists, only bytes within a file are changed in place, by
// [FS.WriteAt]. The package is pure: it writes to an
// [io.WriterAt], reads from an [io.ReaderAt], and gets its timestamps from the
// caller, so that equal inputs give equal bytes. FAT12 and FAT16 are not
// supported; UEFI firmware takes FAT32 on fixed disks (UEFI 2.10 §13.3).
//
// Specification: Microsoft FAT32 File System Specification, version 1.03
// ("fatgen103"), called FAT in the comments below.
package fat32
