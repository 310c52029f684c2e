package inspect_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest/system/systemtest"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/tools/mkimage/guestfs"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// squashfs looks like one with a QEMU; the real one is in TestGuestQEMU of ovmf-tests.
func squashfs(t *testing.T) content.Area {
	t.Helper()
	area, err := content.SystemArea(bytes.NewReader(systemtest.Squashfs(t)), gpt.MiB)
	if err != nil {
		t.Fatal(err)
	}
	return area
}

// linux is the tiny guest.
func linux(t *testing.T) content.Area {
	t.Helper()
	name := filepath.Join(t.TempDir(), "linux")
	o := guestfs.Options{SizeBytes: 64 << 20, ID: image.NewID("test", "Linux guest"), Modified: testSpec().Modified}
	if err := guestfs.Tiny(t.Context(), name, t.TempDir(), []byte("kernel"), []byte("an initrd"), o); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	area, err := content.LinuxArea(f, o.SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	return area
}

func TestGuests(t *testing.T) {
	spec := testSpec()
	spec.Areas = []content.Area{squashfs(t), linux(t)}
	f := build(t, spec)
	r, err := inspect.Read(f, spec.SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.System; s == nil || s.QEMU != "1:10.0.2" || s.Bytes != 12288 || s.Partition != 3 || s.Error != "" {
		t.Errorf("system %+v", s)
	}
	if g := r.LinuxGuest; g == nil || g.Label != guestfs.Label || !g.Clean || g.KernelBytes != 6 || g.InitrdBytes != 9 || g.Error != "" {
		t.Errorf("guest %+v", g)
	}
	var text bytes.Buffer
	if err := inspect.Draw(&text, r, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"QEMU of guests (partition 3): 1:10.0.2, 12 KiB, SHA-256 ", "Linux guest (partition 4): ext4 RAYOS-LINUX, ", "of 64 MiB free, clean", "  kernel 6 B, initrd 9 B"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not drawn in\n%s", want, text.String())
		}
	}
	if codes := verify(t, f, spec.SizeBytes); len(codes) > 0 {
		t.Errorf("findings %q", codes)
	}
}

// TestDamagedGuests damages one thing at a time.
func TestDamagedGuests(t *testing.T) {
	const start3, start4 = 4715446272, 21895315456
	for name, c := range map[string]struct {
		offset int64
		bytes  string
		code   string
		shows  string // by inspect
	}{
		"squashfs":     {start3 + 4000, "x", "guest-system", "QEMU of guests (partition 3): 1:10.0.2"},
		"description":  {start3 + 8192, "x", "guest-system", "QEMU of guests (partition 3): it is damaged"},
		"superblock":   {start4 + 1024 + 0x20, "\x01\x00\x00\x00", "guest-linux", "Linux guest (partition 4): the ext4 is damaged"},
		"no directory": {start4 + 1024 + 0x28, "\x10\x00\x00\x00", "guest-kernel", "a Linux guest needs the kernel"},
	} {
		spec := testSpec()
		spec.Areas = []content.Area{squashfs(t), linux(t)}
		f := build(t, spec)
		if _, err := f.WriteAt([]byte(c.bytes), c.offset); err != nil {
			t.Fatal(err)
		}
		if codes := verify(t, f, spec.SizeBytes); !slices.Equal(codes, []string{c.code}) {
			t.Errorf("%s: findings %q, want %s", name, codes, c.code)
		}
		r, err := inspect.Read(f, spec.SizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := inspect.Draw(&text, r, false); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), c.shows) {
			t.Errorf("%s: %q is not drawn in\n%s", name, c.shows, text.String())
		}
	}
}
