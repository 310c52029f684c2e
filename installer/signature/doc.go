// Package signature says what lies on a disk before anything is done to it: its
// partition table, the file systems on it and in its partitions, which operating
// systems they belong to, and whether there are bytes that none of this explains.
//
// It reads a few bounded places only, takes every one of them for hostile, and is pure:
// the disk comes as an [io.ReaderAt]. A signature is a hint for people who are about to
// erase a disk, not a check of a file system.
//
// Specifications: UEFI 2.10 §5 for tables; the places of the signatures are those of the
// file systems' own documents and of libblkid.
package signature
