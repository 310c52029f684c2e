package debqemu

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/tools/mkimage/deb/debtest"
)

func TestVersion(t *testing.T) {
	name, version := nameVersion("/x/qemu-system-x86_1%3a10.0.2+ds-2+deb13u1~bpo12+1_amd64.deb")
	if name != mainPackage || version != "1:10.0.2+ds-2+deb13u1~bpo12+1" || checkVersion(version) != nil {
		t.Errorf("%s %s, %v", name, version, checkVersion(version))
	}
	for _, v := range []string{"", "1:7.2+dfsg-7", "x", "1:9.2.1"} {
		if checkVersion(v) == nil {
			t.Errorf("version %q is taken", v)
		}
	}
}

// packages is what QEMU and its parts would be, made of a program of this machine
// that has a library.
func packages(t *testing.T) map[string]string {
	t.Helper()
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	elf := string(program)
	files := map[string]string{
		"./" + debianQEMU: elf, "./lib/x86_64-linux-gnu/libc.so.6": "-> libc-2.36.so", "./lib/x86_64-linux-gnu/libc-2.36.so": elf,
		"./usr/lib/x86_64-linux-gnu/libgcc_s.so.1": "-> /lib/x86_64-linux-gnu/libc-2.36.so", "./usr/lib/x86_64-linux-gnu/libunused.so.1": elf,
		"./usr/share/doc/qemu/copyright": "licence", "./usr/bin/other": "x", "./../../etc/evil": "x",
	}
	for _, m := range modules {
		files["./"+debianModules+"/"+m] = elf
	}
	for _, f := range firmware {
		files["./"+f] = "firmware"
	}
	return files
}

func assemble(t *testing.T, files map[string]string) (guest.Tree, error) {
	t.Helper()
	b, err := debtest.Package(files)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "x.deb")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "tree")
	s := newStage(filepath.Join(tree, ".stage"))
	if err := s.unpack(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	return guest.Tree(tree), s.assemble(tree)
}

func TestAssemble(t *testing.T) {
	tree, err := assemble(t, packages(t))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("find", string(tree), "-type", "f", "-printf", "%P\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	for _, want := range []string{guest.QEMUPath, "lib/libc.so.6", "lib/libgcc_s.so.1", "modules/" + modules[0], "firmware/pvh.bin", "licences/qemu/copyright"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	if len(got) != 1+2+len(modules)+len(firmware)+1 {
		t.Errorf("files %q", got)
	}
	if st, err := os.Stat(tree.Path(guest.QEMUPath)); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("QEMU is %v, %v", st.Mode(), err)
	}
}

func TestAssembleMisses(t *testing.T) {
	for _, name := range []string{debianQEMU, "lib/x86_64-linux-gnu/libc-2.36.so", firmware[0], debianModules + "/" + modules[0]} {
		files := packages(t)
		delete(files, "./"+name)
		if _, err := assemble(t, files); err == nil {
			t.Errorf("a tree without %s is taken", name)
		}
	}
	files := packages(t)
	files["./lib/x86_64-linux-gnu/libc.so.6"] = "-> libc.so.6" // for ever
	if _, err := assemble(t, files); err == nil {
		t.Error("a library that points to itself is taken")
	}
}
