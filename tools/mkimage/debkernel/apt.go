package debkernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rayos/rayboot/tools/mkimage/apt"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

// ErrUnavailable is matched by the errors of [Fetch] that mean: this machine
// cannot get the pinned package now.
var ErrUnavailable = errors.New("kernel package unavailable")

// otherWays is what a user can do when apt-get cannot help.
const otherWays = "give a kernel by --kernel FILE (a linux-image package or a vmlinuz); old packages stay at https://snapshot.debian.org/package/linux-signed-amd64/"

// download fetches the pinned package into a directory of its own and checks
// it. remove deletes the directory.
func download(ctx context.Context, pin Pin, opts Options) (deb string, remove func(), err error) {
	program, err := exec.LookPath("apt-get")
	if err != nil {
		return "", nil, fmt.Errorf("download %s: %w: apt-get is not on this machine; %s", pin.Package, ErrUnavailable, otherWays)
	}
	dir, err := os.MkdirTemp("", "rayimg-kernel-")
	if err != nil {
		return "", nil, fmt.Errorf("download %s: %w", pin.Package, err)
	}
	remove = func() { os.RemoveAll(dir) }
	deb, err = downloadInto(ctx, program, dir, pin, opts)
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("download %s %s: %w", pin.Package, pin.Version, err)
	}
	return deb, remove, nil
}

func downloadInto(ctx context.Context, program, dir string, pin Pin, opts Options) (string, error) {
	// The sandbox user of apt cannot write into a private directory; without
	// the option apt-get says so in a warning for every download by root.
	cmd := exec.CommandContext(ctx, program, "-q", "-o", "APT::Sandbox::User=root", "download", pin.Package+"="+pin.Version)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	stop := apt.Watch(dir, func(n int64) { opts.progress(StepDownload, n, pin.Bytes) })
	err := cmd.Run()
	stop()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", aptError(err, output.String(), pin)
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("%w: apt-get left %d packages instead of one", ErrUnavailable, len(debs))
	}
	return debs[0], checkPin(debs[0], pin)
}

func checkPin(deb string, pin Pin) error {
	digest, err := treecache.Digest(deb)
	if err != nil {
		return err
	}
	if digest != pin.SHA256 {
		return fmt.Errorf("%w: the archive served a file with SHA-256 %s, pinned is %s; it is not used: %s", ErrUnavailable, digest, pin.SHA256, otherWays)
	}
	return nil
}

// aptError turns apt-get's complaint into what the user can do about it.
func aptError(err error, output string, pin Pin) error {
	var why string
	switch {
	case strings.Contains(output, "Unable to locate package"), strings.Contains(output, "No packages found"):
		why = fmt.Sprintf("apt knows no such package: run 'sudo apt-get update' and try again; where this machine is not an amd64 Debian 12, %s", otherWays)
	case strings.Contains(output, "Version '"+pin.Version+"'"):
		why = fmt.Sprintf("the archive has this version no more: run 'sudo apt-get update' and try again, or take a newer rayimg, or %s", otherWays)
	case strings.Contains(output, "Failed to fetch"), strings.Contains(output, "Temporary failure resolving"), strings.Contains(output, "Could not connect"):
		why = fmt.Sprintf("the archive cannot be reached: check the network and try again, or %s", otherWays)
	default:
		why = fmt.Sprintf("apt-get: %v; %s", err, otherWays)
	}
	return fmt.Errorf("%w: %s\napt-get said: %s", ErrUnavailable, why, apt.LastLines(output))
}
