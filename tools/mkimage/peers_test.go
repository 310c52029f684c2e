package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/tools/mkimage/peertest"
)

// checkPeers lets other tools judge a disk.
func checkPeers(t *testing.T, name string) {
	t.Helper()
	if err := peertest.Check(name); err != nil {
		t.Error(err)
	}
}

// peersCmd DISK... is checkPeers for a script.
func peersCmd(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(peertest.Check(ts.MkAbs(name)))
	}
}

// TestPeersSeeDamage shows that the other tools see what they are there for.
func TestPeersSeeDamage(t *testing.T) {
	for _, sector := range []string{"512", "4096"} {
		name := installedDisk(t, "--sector-size", sector)
		checkPeers(t, name)
		table := tableOf(t, name)
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte{1}, gpt.MiB+32*int64(table.SectorSize)+2000); err != nil { // of a FAT
			t.Fatal(err)
		}
		if peertest.Check(name) == nil {
			t.Errorf("sectors of %s bytes: a damaged FAT passes", sector)
		}
	}
}
