package kernel

import "syscall"

// There are no files below a Go program on UEFI: standard input is empty, standard output and error are the firmware's
// console, and every other name does not exist. Files on a disk are reached through the firmware's protocols.

func (k *Kernel) read(fd, to, size uintptr) int64 {
	switch fd {
	case stdin:
		return 0
	case event:
		return k.eventRead(to, size)
	}
	return errBadFile
}

func (k *Kernel) write(fd, from, size uintptr) int64 {
	switch fd {
	case stdout, stderr:
		k.print(from, size)
		return int64(size)
	case event:
		return k.eventWrite(from, size)
	}
	return errBadFile
}

// fcntl answers the runtime's question at start whether the three standard files are open, and package os's whether they block.
func fcntl(fd, command uintptr) int64 {
	switch {
	case fd > stderr:
		return errBadFile
	case command == syscall.F_GETFL && fd != stdin:
		return syscall.O_WRONLY
	}
	return 0
}
