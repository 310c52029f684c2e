// Package esp knows what lies where on the EFI System Partition and reads it:
// loader.conf, Type #1 entries (.conf files), Type #2 entries (unified kernel
// images), their boot-counting file names, the order of the menu and the match
// of the default pattern. It also writes loader.conf and Type #1 entries.
//
// It follows UAPI.1 Boot Loader Specification (cited as UAPI BLS), UAPI.5
// Unified Kernel Image, UAPI.10 Version Format Specification and, for the text
// of loader.conf and the identifiers of entries, loader.conf(5) and the Boot
// Loader Interface of systemd 252 to 258.
//
// It does not own disks, file systems or the boot: it reads through io/fs and
// [io.ReaderAt], says nothing on a console, counts no boot and starts nothing.
// It reads the ESP only; entries on an XBOOTLDR partition are not looked for.
//
// Everything on an ESP is taken for hostile: sizes and numbers are bounded, no
// input panics, text meant for the screen is printable (see [Entry]), paths
// cannot leave the partition. What is not usable is not dropped silently but
// reported as a [Problem].
//
// All paths of this package are in the form of io/fs: slashes, relative to the
// root of the ESP, no leading slash.
package esp
