package kernel

// sysGetrandom is younger than the frozen list of package syscall.
const sysGetrandom = 278
