// Command rayboot is the RayOS boot manager: an ordinary Go program that runs as
// a UEFI application (BOOTX64.EFI). It finds what can be booted, shows the menu,
// and starts what the boot policy of package bootmenu decides.
//
// It owns nothing but the way between facts and effects: the policy is
// bootmenu's, what lies on disk is esp's and gpt's, the firmware is uefi's.
package main

import (
	"fmt"
	"os"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/esp"
)

const (
	product = "rayboot"
	version = "0.1.0"
	heading = "RayOS boot manager " + version
)

func main() {
	os.Exit(run(uefi.Running()))
}

// run comes back only if the machine cannot be booted by anything here.
func run(sys *uefi.System, err error) int {
	if err != nil {
		fmt.Println(product+":", err)
		return 1
	}
	m, err := newManager(sys)
	if err != nil {
		fmt.Println(product+":", err)
		return 1
	}
	m.loop(m.powerOn())
	return 1
}

// newManager finds the volume that the manager was loaded from.
func newManager(sys *uefi.System) (*manager, error) {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return nil, fmt.Errorf("find the boot volume: %w", err)
	}
	files, err := sys.FileSystem(self.Device)
	if err != nil {
		return nil, fmt.Errorf("open the boot volume: %w", err)
	}
	m := &manager{sys: sys, console: openConsole(sys), volume: volume{self.Device, files}, goldenKey: readGoldenKey(self)}
	if path, err := sys.DevicePath(self.Device); err == nil {
		if partition, ok := path.HardDrive(); ok {
			if guid, ok := partition.GUID(); ok {
				m.partition = guid.String()
			}
		}
	}
	return m, nil
}

// powerOn gathers the facts with which the boot policy begins.
func (m *manager) powerOn() bootmenu.Event {
	m.console.say(heading)
	// Nobody may be in front of the menu for longer than the firmware allows.
	if err := m.sys.SetWatchdog(0); err != nil {
		m.console.warn("The firmware's watchdog stays on: %v", err)
	}
	m.readInstallID()
	found := discover(m.sys, m.volume)
	conf, problems := esp.ReadLoaderConf(m.volume.files)
	for _, p := range problems {
		found.problem("%v", p)
	}
	wanted, unread := readWishes(m.sys)
	for _, err := range unread {
		found.problem("%v", err)
	}
	m.sources, m.files, m.kernels, m.loaderIDs = found.sources, found.files, found.kernels, make(map[string]string)
	for _, e := range found.entries {
		m.loaderIDs[e.ID] = e.LoaderID
	}
	m.console.logged(m.console.journal.open(m.kernels.blocks, m.installID))
	m.announce(found)
	if err := m.publish(found.entries); err != nil {
		m.console.warn("The booted system will not know this boot manager: %v", err)
	}
	m.nonce = newNonce()
	state, snapshots := m.readState(), m.findGolden()
	config, keys := m.config(conf, wanted, state.Record.Default, found.setup)
	return bootmenu.PoweredOn{
		Entries: found.entries, Config: config, KeyWaiting: keys && m.console.keyWaiting(),
		State: state, Nonce: m.nonce, Watchdog: m.findWatchdog(), Snapshots: snapshots,
	}
}

// readInstallID reads which installation this ESP belongs to, if to any.
func (m *manager) readInstallID() {
	path, err := esp.Resolve(m.volume.files, esp.InstallIDPath)
	if err != nil {
		return // not an ESP of RayOS
	}
	data, err := m.volume.files.ReadFile(path)
	if err == nil {
		m.installID, err = esp.ParseInstallID(data)
	}
	if err != nil {
		m.console.warn("%s: %v; the runtime will not find its disk", path, err)
	}
}
