package qemu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNoFirmware tells that no matching pair of OVMF files was found.
var ErrNoFirmware = errors.New("OVMF firmware not found")

// Firmware is a UEFI firmware for QEMU: its code and the template of the variable store that belongs to it. The two
// must come from the same build: OVMF's 4 MB code faults with a 2 MB store, and the other way round.
type Firmware struct {
	Code string
	Vars string
	SMM  bool // the code needs system management mode, as every build with Secure Boot does
}

// FirmwareKind chooses one of the builds of OVMF that a distribution installs.
type FirmwareKind int

const (
	// Plain is OVMF without Secure Boot and with an empty variable store.
	Plain FirmwareKind = iota
	// SecureBoot enforces Secure Boot with Debian's test key ("snakeoil"), whose private half is public: see
	// SnakeoilKey.
	SecureBoot
)

// SnakeoilKey and SnakeoilCertificate sign images for the SecureBoot firmware. The key's pass phrase is "snakeoil".
const (
	SnakeoilKey         = "/usr/share/ovmf/PkKek-1-snakeoil.key"
	SnakeoilCertificate = "/usr/share/ovmf/PkKek-1-snakeoil.pem"
)

// pairs lists what FindFirmware looks for, best first, as file names relative to the folder.
var pairs = map[FirmwareKind][]Firmware{
	Plain: {
		{Code: "OVMF_CODE_4M.fd", Vars: "OVMF_VARS_4M.fd"}, // Debian 12 and later, Ubuntu
		{Code: "OVMF_CODE.fd", Vars: "OVMF_VARS.fd"},       // Debian 11 and 12, Fedora: the 2 MB build
		{Code: "OVMF_CODE.4m.fd", Vars: "OVMF_VARS.4m.fd"}, // Arch
	},
	SecureBoot: {
		{Code: "OVMF_CODE_4M.secboot.fd", Vars: "OVMF_VARS_4M.snakeoil.fd", SMM: true},
	},
}

// FirmwareFolders is where distributions put OVMF, in the order of the search.
func FirmwareFolders() []string {
	return []string{"/usr/share/OVMF", "/usr/share/edk2/ovmf", "/usr/share/edk2/x64"}
}

// FindFirmware returns the first complete pair of the wanted kind in the given folders; without folders it searches
// FirmwareFolders. The error says which package to install and matches ErrNoFirmware.
func FindFirmware(kind FirmwareKind, folders ...string) (Firmware, error) {
	if len(folders) == 0 {
		folders = FirmwareFolders()
	}
	for _, folder := range folders {
		for _, pair := range pairs[kind] {
			pair.Code = filepath.Join(folder, pair.Code)
			pair.Vars = filepath.Join(folder, pair.Vars)
			if isFile(pair.Code) && isFile(pair.Vars) {
				return pair, nil
			}
		}
	}
	best := pairs[kind][0]
	return Firmware{}, fmt.Errorf("%w: no %s with its %s in %v; install it with: sudo apt-get install ovmf",
		ErrNoFirmware, best.Code, best.Vars, folders)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// newVarStore makes path a copy of the template unless it exists.
func newVarStore(path, template string) error {
	data, err := os.ReadFile(template)
	if err != nil {
		return fmt.Errorf("read the template of the variable store: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create the variable store: %w", err)
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(fmt.Errorf("create the variable store: %w", err), f.Close(), os.Remove(path))
	}
	return f.Close()
}
