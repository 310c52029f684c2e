package guest

import (
	"io/fs"
	"path"
)

// The tree that holds QEMU: what rayimg unpacks on a host, and what lies on the
// RayOS System partition. It needs nothing of the machine but the kernel.
const (
	QEMUPath     = "bin/qemu-system-x86_64"
	LibrariesDir = "lib"
	LoaderPath   = LibrariesDir + "/ld-linux-x86-64.so.2" // of the libraries; QEMU is started by it
	ModulesDir   = "modules"                              // of QEMU
	FirmwareDir  = "firmware"
	LicencesDir  = "licences"

	FirmwareCode = "OVMF_CODE_4M.fd" // in FirmwareDir
	FirmwareVars = "OVMF_VARS_4M.fd" // the template of a guest's variables
)

// Tree is the folder of such a tree.
type Tree string

// Path is the place of a file of the tree.
func (t Tree) Path(name ...string) string { return path.Join(append([]string{string(t)}, name...)...) }

// Command is the program that starts QEMU, and its first arguments. The loader of
// the tree's own libraries is started, as those of the machine may be others or none.
func (t Tree) Command() []string {
	return []string{
		t.Path(LoaderPath), "--library-path", t.Path(LibrariesDir), t.Path(QEMUPath),
		"-L", t.Path(FirmwareDir),
	}
}

// Env is what QEMU needs in its environment, for its modules.
func (t Tree) Env() []string { return []string{"QEMU_MODULE_DIR=" + t.Path(ModulesDir)} }

// Mode is the mode of a file of the tree.
func Mode(name string) fs.FileMode {
	if name == QEMUPath || name == LoaderPath {
		return 0o755
	}
	return 0o644
}
