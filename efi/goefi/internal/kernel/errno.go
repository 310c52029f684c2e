package kernel

// System calls return a negated errno (Linux include/uapi/asm-generic/errno.h). The constants are negative already.
const (
	errPerm     = -1
	errNoEntry  = -2
	errNoThread = -3
	errIO       = -5
	errBadFile  = -9
	errAgain    = -11
	errNoMemory = -12
	errAccess   = -13
	errInvalid  = -22
	errNoSys    = -38
	errTimedOut = -110

	// pending is no errno: the result of this system call comes later, or has been set already.
	pending = -1 << 63
)
