// Package write carries an installation out: it writes a disk so that a cut of the power, a
// disk that is pulled out, or a program that is killed leaves either the old partition table
// or the new one with all that belongs to it.
//
// The order is: erase what the new partitions cover; write their content but for the first
// 4096 bytes of each; flush, read everything back and compare; write these, the first sector last; flush;
// one copy of the table; flush; and then the copy that decides. While that is not durable,
// firmware and systems see the old table, and no half-written file system in it, because a
// file system without its first bytes is none.
//
// [Run] needs no more than a [Device]; [Open] makes one of a disk or a file on Linux.
package write
