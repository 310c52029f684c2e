// Package ovmftests holds the whole-machine tests: they boot what `just build` left in dist/ in QEMU with OVMF, and
// follow it on the serial port and the screen. They need the build tag ovmf; `just ovmf [NAME]` runs them.
//
// What a test does by itself stands in its file; the machine, the transcript and the keys are package harness's.
// apps holds programs that test the firmware side from within, benchboot counts what a boot costs, and
// benchstate what the boot manager's state and digests cost.
package ovmftests
