//go:build ovmf

package ovmftests

import (
	"bytes"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// guestSettings are those of a guest that comes up soon: it looks for no hardware that it does not have, and its text
// stands still.
const guestSettings = `[linux]
memory-mib = 320
screen = [1024, 768]
append = "quiet vt.global_cursor_default=0 mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests rayos.skip=nvme,sata,usb,filesystem,watchdog,pstore,kvm"
`

// guestsDisk returns a throw-away disk with QEMU and a Linux guest.
func guestsDisk(t *testing.T) qemu.Disk {
	t.Helper()
	image := shared(t, "guests.img", func(path string) {
		harness.Run(t, harness.Artifact(t, "rayimg"), "build", path, "--guests", "--linux-guest", "tiny",
			"--guest-config", harness.WriteFile(t, guestSettings), "--cmdline", commandLine, "--seed", "ovmf-tests")
	})
	return qemu.Disk{Path: harness.Overlay(t, image), Format: "qcow2"}
}

// guestsMachine is a machine in which a guest runs and is shown.
type guestsMachine struct {
	*harness.Machine
	t       *testing.T
	scratch string // a second disk, by which files come out of the machine
}

// scratchBytes is room for a picture.
const scratchBytes = 8 << 20

func startGuestsMachine(t *testing.T) *guestsMachine {
	t.Helper()
	scratch := filepath.Join(t.TempDir(), "scratch")
	if err := os.WriteFile(scratch, make([]byte, scratchBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{guestsDisk(t), {Path: scratch}}, MemoryMiB: 2048, Video: "virtio-gpu-pci"}})
	return &guestsMachine{m, t, scratch}
}

// run has the shell on the serial port run a command that ends with these lines.
func (m *guestsMachine) run(command string, wants ...harness.Expectation) string {
	m.t.Helper()
	m.Type(command + "\r")
	return m.Expect(wants...)
}

// keys types a line on the machine's keyboard.
func (m *guestsMachine) keys(line string) {
	m.t.Helper()
	names := map[rune]qemu.Key{' ': "spc", '/': "slash", ';': "semicolon", '.': "dot"}
	for _, c := range line {
		switch name, ok := names[c]; {
		case c == '>':
			m.PressChord("shift", "dot")
		case c == 'S':
			m.PressChord("shift", "s")
		case ok:
			m.Press(name)
		default:
			m.Press(qemu.Key(string(c)))
		}
	}
	m.Press(qemu.KeyEnter)
}

// picture is what the guest shows, as the machine writes it into a file.
func (m *guestsMachine) picture() image.Image {
	m.t.Helper()
	m.run("show --screenshot /tmp/shot.ppm linux", harness.Text("Written: /tmp/shot.ppm"))
	m.run("cat /tmp/shot.ppm >/dev/vdb; sync; echo it is out", harness.Pattern("^it is out$"))
	file, err := os.ReadFile(m.scratch)
	if err != nil {
		m.t.Fatal(err)
	}
	const header = "P6\n1024 768\n255\n"
	if !bytes.HasPrefix(file, []byte(header)) {
		m.t.Fatalf("the picture begins with %q", file[:32])
	}
	img := image.NewRGBA(image.Rect(0, 0, 1024, 768))
	for i, p := 0, file[len(header):]; i < 1024*768; i++ {
		copy(img.Pix[4*i:], p[3*i:3*i+3])
		img.Pix[4*i+3] = 0xff
	}
	return img
}

// console waits until the text console has the screen, in the mode that it has had from the start, and shows text.
func (m *guestsMachine) console(size image.Point) {
	m.t.Helper()
	for range 200 {
		shot := m.Screenshot()
		if shot.Bounds().Size() == size && lit(shot) > 500 {
			return
		}
	}
	m.t.Fatal("the text console does not come back")
}

// lit counts the pixels that are not black.
func lit(img image.Image) (count int) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); c.R|c.G|c.B != 0 {
				count++
			}
		}
	}
	return count
}

// presented is what show says until a guest that draws for the first time is on the screen.
var presented = []harness.Expectation{
	harness.Text("[RAYOS_PRESENTATION] Initializing Linux desktop presentation"),
	harness.Pattern(`^rayos: guest linux: started .*, with 320 MiB of memory and 1 processor$`),
	harness.Marker("[RAYOS_PRESENTATION:SURFACE_CREATE] width=1024, height=768, guest=linux"),
	harness.Marker("[RAYOS_PRESENTATION:FIRST_FRAME] seq=0"),
	harness.Marker("[RAYOS_PRESENTATION:PRESENTED]"),
	harness.Text("Linux desktop now visible (native scanout, no VNC required)"),
}

// TestGuests runs a guest in the machine and shows it on the machine's screen: to the pixel what the guest draws. Keys go
// to whom is shown, and to nobody else. Then QEMU is killed, and what runs it.
func TestGuests(t *testing.T) {
	t.Parallel()
	m := startGuestsMachine(t)
	m.Expect(harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN]"), shellPrompt)
	text := m.Screenshot().Bounds().Size()
	m.run("guest list", harness.Pattern(`^linux +stopped`), harness.Text("windows: there is no Windows disk in partition 5"))
	m.run("show windows", harness.Text("show: there is no Windows disk in partition 5"))
	m.run("show linux", presented...)

	m.run("log follow --source linux", harness.Text("linux: [RAYOS_BOOT_MARKER:SHELL_READY]"))
	m.keys("touch typed; echo heard >/dev/ttyS0")
	m.Expect(harness.Pattern("linux: .*heard$"))
	m.Type("\x03")
	m.run("ls /root/typed", harness.Text("no such file"))
	m.ExpectScreen(m.picture())

	m.PressChord("ctrl", "alt", "esc")
	m.Expect(harness.Marker("[RAYOS_PRESENTATION:HIDDEN]"), harness.Pattern("^rayos: back from the guest; linux: runs, windows: missing"))
	m.console(text)
	m.keys("echo not for guests >/dev/ttyS0")
	m.Expect(harness.Pattern("not for guests$"))
	m.run("log show --source linux; echo that is all", harness.Pattern("^that is all$"))
	m.Never(harness.Pattern("linux: .*not for guests$"))

	m.run("show linux", harness.Marker("[RAYOS_PRESENTATION:PRESENTED]"), harness.Text("Linux desktop now visible"))
	m.ExpectScreen(m.picture())
	m.run("show none", harness.Marker("[RAYOS_PRESENTATION:HIDDEN]"))
	m.console(text)
	if *long {
		m.stops(text)
	}
	m.run("show linux", harness.Marker("[RAYOS_PRESENTATION:PRESENTED]"), harness.Text("Linux desktop now visible"))
	m.kills(text)
	m.Finish(harness.Pattern("^all is well$"))
}

// stops has the guest end by its power button, which gives the console back, and starts it again, by show all.
func (m *guestsMachine) stops(text image.Point) {
	m.t.Helper()
	m.run("show linux", harness.Marker("[RAYOS_PRESENTATION:PRESENTED]"))
	m.run("guest stop linux", harness.Text("[RAYOS_PRESENTATION:DESTROY]"))
	m.console(text)
	m.run("log show --source linux; guest list", harness.Text("rayos: the power button was pressed"), harness.Pattern("^linux +stopped"))
	m.run("show all", harness.Text("Not shown: windows: there is no Windows disk"), harness.Marker("[RAYOS_PRESENTATION:PRESENTED]"))
	m.run("show none", harness.Marker("[RAYOS_PRESENTATION:HIDDEN]"))
}

// process has the number of a guest's QEMU.
var process = regexp.MustCompile(`as process (\d+),`)

// anyQEMU is a QEMU of a guest in the list of processes; grep in the same list is none.
var anyQEMU = harness.Pattern("^[0-9]+ .*ld-linux.*qemu-system")

// kills kills the guest's QEMU, which is started again, and then what runs guests.
func (m *guestsMachine) kills(text image.Point) {
	m.t.Helper()
	pid := process.FindStringSubmatch(m.run("guest status linux", harness.Pattern(process.String())))[1]
	m.run("kill -9 "+pid,
		harness.Marker("[RAYOS_PRESENTATION:HIDDEN]"), harness.Marker("[RAYOS_PRESENTATION:DESTROY]"), harness.Text("rayos: guest linux: started"),
	)
	if m.Count(harness.Text("rayos: guest linux: killed by signal 9 (killed); started again")) != 1 {
		m.t.Error("nobody is told that the guest was killed")
	}
	m.console(text)
	service := regexp.MustCompile(`guests +runs +1 +\d+ s +(\d+) `)
	pid = service.FindStringSubmatch(m.run("services", harness.Pattern(service.String())))[1]
	m.run("ps | grep qemu-system", anyQEMU)
	seen := m.Count(anyQEMU)
	m.run("kill -9 "+pid, harness.Text("rayos: service guests: killed by signal 9 (killed)"))
	m.run("guest list; ps | grep qemu-system; echo that is all of them", harness.Pattern(`^linux +stopped`), harness.Pattern("^that is all of them$"))
	if m.Count(anyQEMU) != seen {
		m.t.Error("a QEMU outlives the program that has started it")
	}
	m.run("guest stop linux", harness.Text("guest linux does not run"))
	m.Type("echo all is well\r")
}
