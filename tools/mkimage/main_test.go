package main

import (
	"debug/pe"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
	"github.com/rayos/rayboot/tools/mkimage/qemu/qemutest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rayimg": main, qemu.Program: func() { qemutest.Emulate(emulated) }})
}

// TestScripts runs testdata/script/*.txtar: rayimg as a user calls it, and other
// people's tools on what it has made.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fakekernel": fakeKernel,
			"patch":      patch,
			"peers":      peersCmd,
			"writelog":   writeLog,
		},
	})
}

// fakeKernel FILE [MACHINE] makes a file that looks like a kernel of 64 KiB.
func fakeKernel(ts *testscript.TestScript, _ bool, args []string) {
	machines := map[string]uint16{"x64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64, "x86": pe.IMAGE_FILE_MACHINE_I386}
	machine := machines["x64"]
	if len(args) > 1 {
		machine = machines[args[1]]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), fakeefi.Kernel("6.1.0-test", machine, 64<<10), 0o644))
}

// patch FILE OFFSET TEXT overwrites bytes of a file.
func patch(ts *testscript.TestScript, _ bool, args []string) {
	off, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	defer f.Close()
	_, err = f.WriteAt([]byte(args[2]), off)
	ts.Check(err)
}
