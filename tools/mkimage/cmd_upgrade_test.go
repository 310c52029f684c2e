package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
)

// installedDisk is a file with small parts on it.
func installedDisk(t *testing.T, options ...string) string {
	t.Helper()
	name := emptyDisk(t, t.TempDir())
	args := append(append(installArgs(t), "--to", name, "--yes", "disk.img"), options...)
	if status, _, stderr := rayimg(t, args...); status != exitOK {
		t.Fatal(stderr)
	}
	return name
}

// upgradeArgs are the options of an upgrade to other small parts.
func upgradeArgs(t *testing.T, name string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(file, fakeefi.Kernel("6.2.0-test", 0x8664, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"upgrade", name, "--boot-manager", file, "--kernel", file, "--modules", "none", "--runtime", file}
}

// contentOf is what a file holds, up to behind the kernel slots.
func contentOf(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 448<<20)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// reported is what the tests look at of an upgradeReport.
type reported struct {
	Plan struct {
		New  struct{ Release, Options string }
		Kept *struct{ Release, Options string }
	}
	Steps   []write.Step
	Written *write.Report
}

// TestUpgrade upgrades images of both sector sizes; what a dry run shows is what is written.
func TestUpgrade(t *testing.T) {
	for _, sector := range []string{"512", "4096"} {
		t.Run(sector, func(t *testing.T) {
			name := installedDisk(t, "--sector-size", sector)
			before := contentOf(t, name)
			args := upgradeArgs(t, name)
			status, stdout, stderr := rayimg(t, append(args, "--dry-run", "--json")...)
			var dry, done reported
			if err := json.Unmarshal([]byte(stdout), &dry); status != exitOK || err != nil || len(dry.Steps) < 8 || dry.Written != nil {
				t.Fatalf("%d: %v: %s%s", status, err, stdout, stderr)
			}
			if !bytes.Equal(contentOf(t, name), before) {
				t.Fatal("a dry run has written")
			}
			status, stdout, stderr = rayimg(t, append(args, "--yes", "disk.img", "--json")...)
			if err := json.Unmarshal([]byte(stdout), &done); status != exitOK || err != nil || done.Written == nil {
				t.Fatalf("%d: %v: %s%s", status, err, stdout, stderr)
			}
			if done.Plan.Kept == nil || done.Plan.Kept.Release != "6.1.0-test" || done.Plan.New.Release != "6.2.0-test" || done.Plan.New.Options != done.Plan.Kept.Options {
				t.Errorf("%+v", done.Plan)
			}
			after := contentOf(t, name)
			inSteps := func(at int64) bool {
				for _, s := range dry.Steps {
					for _, e := range s.Extents {
						if at >= e.OffsetBytes && at < e.EndBytes() {
							return true
						}
					}
				}
				return false
			}
			for at := 0; at < len(after); at += 512 {
				if !bytes.Equal(before[at:at+512], after[at:at+512]) && !inSteps(int64(at)) {
					t.Fatalf("byte %d was written, which the dry run does not show", at)
				}
			}
			checkPeers(t, name)
			status, stdout, _ = rayimg(t, append(args, "--yes", "disk.img")...)
			if status != exitOK || !strings.Contains(stdout, "disk.img has this version; nothing is written.") {
				t.Errorf("again: %d: %s", status, stdout)
			}
			if !bytes.Equal(contentOf(t, name), after) {
				t.Error("the second upgrade to the same version has written")
			}
		})
	}
}

// TestUpgradeRefuses leaves disks alone that are not to be upgraded.
func TestUpgradeRefuses(t *testing.T) {
	name := installedDisk(t)
	args := upgradeArgs(t, name)
	empty := emptyDisk(t, t.TempDir())
	damaged := installedDisk(t)
	f, err := os.OpenFile(damaged, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("x"), 512+60); err != nil {
		t.Fatal(err)
	}
	truncated := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(truncated, fakeefi.Kernel("6.2.0-test", 0x8664, 5<<20)[:4<<20], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{args, "there is no terminal to confirm"},
		{append(slices.Clone(args), "--yes", "another"), "does not confirm"},
		{append(slices.Clone(args), "--yes", "disk.img", "--golden-key", goldenKeyFile(t, 1)), "has no key for golden snapshots; leave out --golden-key"},
		{append(upgradeArgs(t, empty), "--yes", "disk.img"), "no GPT header"},
		{append(upgradeArgs(t, damaged), "--yes", "disk.img"), "its partition table is damaged"},
		{append(slices.Clone(args), "--yes", "disk.img", "--boot-manager", os.Args[0]), "check boot manager"},
		{append(slices.Clone(args), "--yes", "disk.img", "--kernel", truncated), "check kernel: not an EFI application for x86-64: it is cut short, at 4194304 of at least"},
	} {
		before := contentOf(t, name)
		if status, _, stderr := rayimg(t, c.args...); status != exitFailure || !strings.Contains(stderr, c.says) {
			t.Errorf("want %q: %d: %s", c.says, status, stderr)
		}
		if !bytes.Equal(contentOf(t, name), before) {
			t.Errorf("%s: it was written", c.says)
		}
	}
	lock, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := rayimg(t, append(args, "--yes", "disk.img")...); status != exitFailure || !strings.Contains(stderr, "the disk is in use, perhaps by a virtual machine") {
		t.Errorf("in use: %d: %s", status, stderr)
	}
}

// goldenKeyFile is a private key in a file.
func goldenKeyFile(t *testing.T, seed byte) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "golden.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestUpgradeOfTheRunningDisk names the disk that this system runs from.
func TestUpgradeOfTheRunningDisk(t *testing.T) {
	status, _, stderr := rayimg(t, append(upgradeArgs(t, runningDisk(t)), "--dry-run", "--internal", "--unknown-transport")...)
	if status != exitFailure || !strings.Contains(stderr, "is not written: this system runs from it") {
		t.Errorf("%d: %s", status, stderr)
	}
}

// TestUpgradeOfDiskThatChanges is written by somebody while the user still thinks.
func TestUpgradeOfDiskThatChanges(t *testing.T) {
	name := installedDisk(t)
	args := upgradeArgs(t, name)
	f := upgradeFlags{yes: "disk.img", bootManager: args[3], consent: plan.Consent{Erase: true}}
	f.parts.kernel, f.parts.modules, f.parts.runtime = args[5], args[7], args[9]
	cmd := newUpgradeCmd()
	cmd.SetErr(io.Discard)
	cmd.SetContext(t.Context())
	u, err := f.prepare(cmd, newUI(cmd), name)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := rayimg(t, "bootmgr", "disable", name, "rayos-safe"); status != exitOK {
		t.Fatal(stderr)
	}
	before := contentOf(t, name)
	if _, err := u.write(t.Context(), newUI(cmd)); !errors.Is(err, plan.ErrChanged) {
		t.Errorf("%v", err)
	}
	if !bytes.Equal(contentOf(t, name), before) {
		t.Error("it was written")
	}
}

// TestBlockDeviceInstalledAndUpgraded has real block devices of both sector sizes, on which
// sgdisk and sfdisk see the sectors as they are.
func TestBlockDeviceInstalledAndUpgraded(t *testing.T) {
	for _, sector := range []string{"512", "4096"} {
		t.Run(sector, func(t *testing.T) {
			device := loop(t, "--sector-size", sector, emptyDisk(t, t.TempDir()))
			serial := filepath.Base(device)
			if status, _, stderr := rayimg(t, append(installArgs(t), "--to", device, "--yes", serial)...); status != exitOK {
				t.Fatal(stderr)
			}
			checkPeers(t, device)
			if status, stdout, stderr := rayimg(t, append(upgradeArgs(t, device), "--yes", serial)...); status != exitOK || !strings.Contains(stdout, serial+": upgraded") {
				t.Fatal(stdout, stderr)
			}
			checkPeers(t, device)
			if status, stdout, _ := rayimg(t, "install", "--verify", device); status != exitOK || !strings.Contains(stdout, "no problems") {
				t.Error(stdout)
			}
		})
	}
}

// TestKilledUpgrades kills the program at ten moments. What it leaves has no problems, and
// the upgrade can be run again.
func TestKilledUpgrades(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "rayimg") // by this name the test is rayimg
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	name := installedDisk(t)
	args := append(upgradeArgs(t, name), "--yes", "disk.img")
	start := time.Now()
	if out, err := exec.Command(program, append(args, "--dry-run")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := 3 * time.Since(start) // it rehearses twice and writes
	const rounds = 10
	for round := range rounds {
		cmd := exec.Command(program, append(args, "--cmdline", fmt.Sprint("round ", round))...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(round) / rounds)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if status, stdout, stderr := rayimg(t, "verify", name); status != exitOK {
			t.Errorf("round %d: %s%s", round, stdout, stderr)
		}
	}
	if status, _, stderr := rayimg(t, args...); status != exitOK {
		t.Errorf("upgrading once more: %s", stderr)
	}
	checkPeers(t, name)
}
