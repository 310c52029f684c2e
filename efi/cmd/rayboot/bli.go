package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/golden"
)

// The Boot Loader Interface (https://systemd.io/BOOT_LOADER_INTERFACE) and our
// own variables for the runtime (docs/adr/0005-hand-over-in-efi-variables.md).
var (
	loaderVendor = uefi.MustParseGUID("4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
	rayosVendor  = uefi.MustParseGUID("8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10")
)

const (
	volatile   = uefi.BootServiceAccess | uefi.RuntimeAccess
	persistent = volatile | uefi.NonVolatile
)

// The Boot Loader Interface's feature bits that work here.
const (
	featureTimeout        = 1 << 0
	featureTimeoutOneShot = 1 << 1
	featureDefault        = 1 << 2
	featureOneShot        = 1 << 3
	featureBootCounting   = 1 << 4
	featureSortKey        = 1 << 8
	features              = featureTimeout | featureTimeoutOneShot | featureDefault | featureOneShot | featureBootCounting | featureSortKey
)

// getString reads a string variable of the Boot Loader Interface. One that is
// not there is empty.
func getString(sys *uefi.System, name string) (string, error) {
	data, _, err := sys.GetVariable(name, loaderVendor)
	if errors.Is(err, uefi.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return uefi.DecodeUTF16(data), nil
}

// takeString reads a string variable and deletes it. It is honoured only if the
// deletion was saved: otherwise it would be honoured at every boot.
func takeString(sys *uefi.System, name string) (string, error) {
	value, err := getString(sys, name)
	if err != nil || value == "" {
		return "", err
	}
	if err := sys.DeleteVariable(name, loaderVendor); err != nil {
		return "", fmt.Errorf("%s=%s is not honoured, as it could not be consumed: %w", name, value, err)
	}
	return value, nil
}

// wishes are what the last system and a person asked for through the Boot Loader
// Interface.
type wishes struct {
	oneShot        string
	defaultEntry   string
	timeout        string
	timeoutOneShot string
}

// readWishes reads them. What cannot be read is not honoured, and told.
func readWishes(sys *uefi.System) (wishes, []error) {
	var w wishes
	var problems []error
	for _, v := range []struct {
		value *string
		read  func(*uefi.System, string) (string, error)
		name  string
	}{
		{&w.oneShot, takeString, "LoaderEntryOneShot"},
		{&w.timeoutOneShot, takeString, "LoaderConfigTimeoutOneShot"},
		{&w.defaultEntry, getString, "LoaderEntryDefault"},
		{&w.timeout, getString, "LoaderConfigTimeout"},
	} {
		var err error
		if *v.value, err = v.read(sys, v.name); err != nil {
			problems = append(problems, err)
		}
	}
	return w, problems
}

// publish tells the booted system about the boot manager and its menu.
func (m *manager) publish(entries []bootmenu.Entry) error {
	var ids []byte
	for _, e := range entries {
		ids = append(ids, uefi.EncodeUTF16(e.LoaderID)...)
	}
	set := m.setLoaderStrings(map[string]string{
		"LoaderInfo":           product + " " + version,
		"LoaderFirmwareInfo":   m.sys.FirmwareVendor() + " " + firmwareRevision(m.sys.FirmwareRevision()),
		"LoaderFirmwareType":   "UEFI " + m.sys.Revision().String(),
		"LoaderDevicePartUUID": m.partition,
	})
	return errors.Join(set,
		m.sys.SetVariable("LoaderEntries", loaderVendor, volatile, ids),
		m.sys.SetVariable("LoaderFeatures", loaderVendor, volatile, binary.LittleEndian.AppendUint64(nil, features)))
}

// firmwareRevision is the vendor's revision as bootctl shows it.
func firmwareRevision(r uint32) string {
	return strconv.Itoa(int(r>>16)) + "." + fmt.Sprintf("%02d", r&0xffff)
}

// setLoaderStrings sets volatile strings of the Boot Loader Interface; empty
// ones are left out.
func (m *manager) setLoaderStrings(values map[string]string) error {
	var err error
	for name, value := range values {
		if value != "" {
			err = errors.Join(err, m.sys.SetVariable(name, loaderVendor, volatile, uefi.EncodeUTF16(value)))
		}
	}
	return err
}

// handOver tells the system that is about to be started which entry it is, what
// of it was verified, which attempt it is to bless, which watchdog it is to take
// over, and with which key golden snapshots must be signed.
func (m *manager) handOver(id string, booted golden.Booted, guard string) error {
	err := m.setLoaderStrings(map[string]string{"LoaderEntrySelected": m.loaderIDs[id]})
	told := ""
	if booted.Kernel.SHA256 != (golden.Digest{}) {
		told = booted.Encode()
	}
	for name, value := range map[string]string{
		"RayosEntry": id, "RayosInstallID": m.installID, "RayosAttempt": m.nonce.String(), "RayosBooted": told, "RayosWatchdog": guard,
		"RayosGoldenKey": m.goldenKey.String(), "RayosBoot": m.console.journal.boot.String(),
	} {
		err = errors.Join(err, m.setRayosString(name, value))
	}
	return err
}

// setRayosString sets a volatile string for the runtime. An empty one is
// deleted, as it may be there from a start that failed.
func (m *manager) setRayosString(name, value string) error {
	if value != "" {
		return m.sys.SetVariable(name, rayosVendor, volatile, uefi.EncodeUTF16(value))
	}
	if err := m.sys.DeleteVariable(name, rayosVendor); !errors.Is(err, uefi.ErrNotFound) {
		return err
	}
	return nil
}

// saveDefault makes an entry the default, as bootctl set-default does.
func (m *manager) saveDefault(id string) error {
	return m.sys.SetVariable("LoaderEntryDefault", loaderVendor, persistent, uefi.EncodeUTF16(m.loaderIDs[id]))
}

// bootToFirmwareUI is EFI_OS_INDICATIONS_BOOT_TO_FW_UI (UEFI 2.10 §8.5.4).
const bootToFirmwareUI = 1

func osIndications(sys *uefi.System, name string) (uint64, error) {
	data, _, err := sys.GetVariable(name, uefi.GlobalVariable)
	if errors.Is(err, uefi.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(data) != 8 {
		return 0, fmt.Errorf("read variable %s: %d bytes, want 8", name, len(data))
	}
	return binary.LittleEndian.Uint64(data), nil
}

// setupSupported reports whether the firmware can be asked to enter its setup. A
// firmware that does not say so cannot.
func setupSupported(sys *uefi.System) bool {
	supported, err := osIndications(sys, "OsIndicationsSupported")
	return err == nil && supported&bootToFirmwareUI != 0
}

// enterSetup resets the machine into the firmware's setup.
func (m *manager) enterSetup() error {
	wanted, err := osIndications(m.sys, "OsIndications")
	if err != nil {
		return err
	}
	data := binary.LittleEndian.AppendUint64(nil, wanted|bootToFirmwareUI)
	if err := m.sys.SetVariable("OsIndications", uefi.GlobalVariable, persistent, data); err != nil {
		return err
	}
	return m.sys.Reset(uefi.ResetCold)
}
