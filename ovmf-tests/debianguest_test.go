//go:build ovmf

package ovmftests

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// TestDebianGuest installs a real Debian into a guest's partition and boots it to its console, twice: what it has
// written is there again, and its file system is whole after it has powered off.
func TestDebianGuest(t *testing.T) {
	if !*long {
		t.Skip("it fetches 120 MB and takes minutes: -long")
	}
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		t.Skipf("%v; install mmdebstrap", err)
	}
	t.Parallel()
	rayimg, disk := harness.Artifact(t, "rayimg"), filepath.Join(t.TempDir(), "disk.img")
	harness.Run(t, rayimg, "build", disk, "--linux-guest", "debian")
	harness.Run(t, rayimg, "verify", disk)
	shot := filepath.Join(t.TempDir(), "shot.png")
	for _, c := range []struct{ say, hears string }{
		{"systemctl is-system-running --wait; grep -c . /etc/shadow; awk -F: '$2 == \"\"' /etc/shadow; echo kept >/root/kept; echo wrote $((1+1))\n", "wrote 2"},
		{"cat /root/kept; hostname; ls /sys/class/net; findmnt -n -o SOURCE,FSTYPE /\n", "kept\r\nguest\r\nlo\r\n/dev/vda ext4"},
	} {
		g := showGuest(t, rayimg, disk, "--screenshot", shot, "--write")
		g.await(t, "root@guest:~# ")
		g.say(t, c.say)
		g.await(t, c.hears)
		g.say(t, "poweroff\n")
		g.end(t, 0)
		if size := readPicture(t, shot).Bounds().Size(); size.X != 1280 || size.Y != 800 {
			t.Errorf("the picture has %v", size)
		}
	}
	checkGuestFiles(t, disk)
	harness.Run(t, rayimg, "verify", disk)
}
