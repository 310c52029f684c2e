package pid1

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/guests"
)

// modulesDir holds one directory per kernel release, with the module files and
// the list that tells their order: one line "GROUP FILE" each.
const (
	modulesDir = "/lib/modules"
	loadList   = "load.list"
)

// safeSkips are the module groups that safe mode leaves out.
var safeSkips = []string{"drm", "watchdog"}

// module is one line of the list.
type module struct{ group, file string }

func (m module) name() string { return strings.TrimSuffix(m.file, ".ko") }

// parseLoadList reads the list of modules. A file name has no directory.
func parseLoadList(text string) ([]module, error) {
	var modules []module
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			continue
		}
		group, file, ok := strings.Cut(line, " ")
		if !ok || group == "" || file == "" || strings.ContainsAny(file, "/ ") {
			return nil, fmt.Errorf("%s line %d: want \"GROUP FILE\", have %q", loadList, i+1, line)
		}
		modules = append(modules, module{group, file})
	}
	return modules, nil
}

// modules is the state of module loading.
type modules struct {
	dir    string
	list   []module
	done   map[string]bool
	loaded int
	absent int // no such hardware
}

// readModules reads the list for the running kernel.
func (b *boot) readModules() error {
	b.modules.done = map[string]bool{}
	release, err := b.kernel.Release()
	if err != nil {
		return fmt.Errorf("kernel modules: %w", err)
	}
	b.release = release
	b.modules.dir = filepath.Join(b.root, modulesDir, release)
	text, err := os.ReadFile(filepath.Join(b.modules.dir, loadList))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("kernel modules: none for %s in the initrd%s; only drivers built into the kernel work", release, b.otherReleases())
	}
	if err != nil {
		return fmt.Errorf("kernel modules: %w", err)
	}
	if b.modules.list, err = parseLoadList(string(text)); err != nil {
		return fmt.Errorf("kernel modules: %w", err)
	}
	return nil
}

// otherReleases names the kernels that there are modules for.
func (b *boot) otherReleases() string {
	entries, err := os.ReadDir(filepath.Join(b.root, modulesDir))
	if err != nil || len(entries) == 0 {
		return ""
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return " (there are modules for " + strings.Join(names, ", ") + ")"
}

// loadModules loads the modules that want is true for, in order. A module
// that fails is reported and the next one follows.
func (b *boot) loadModules(want func(module) bool) {
	for _, m := range b.modules.list {
		if b.modules.done[m.file] || !want(m) {
			continue
		}
		b.modules.done[m.file] = true
		err := b.kernel.LoadModule(filepath.Join(b.modules.dir, m.file), b.args.Module(m.name()))
		switch {
		case err == nil:
			b.modules.loaded++
		case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EOPNOTSUPP): // the latter says KVM
			b.modules.absent++
		default:
			b.warn("kernel module %s: %v; the machine goes on without it", m.name(), err)
		}
	}
}

// checkSkips tells of names on the command line that mean nothing: with one
// letter wrong, what was to be skipped runs.
func (b *boot) checkSkips() {
	var known []string
	for _, m := range b.modules.list {
		if !slices.Contains(known, m.group) {
			known = append(known, m.group)
		}
	}
	for _, name := range b.consoles.Names() {
		known = append(known, shellService(name))
	}
	known = append(known, guests.Service)
	defined, _ := b.readDefinitions() // what is wrong with them is told when they are started
	for _, d := range defined {
		known = append(known, d.Name)
	}
	for _, name := range b.args.Skip {
		if !slices.Contains(known, name) {
			b.warn("kernel parameter rayos.skip: there is no module group or service %s and nothing is skipped for it; known are %s", name, strings.Join(known, ", "))
		}
	}
}

// unvirtualized returns the modules of KVM that the processor has nothing for. The kernel would say so on all consoles, as
// an error.
func (b *boot) unvirtualized() (modules []string) {
	text, err := os.ReadFile(filepath.Join(b.root, "proc/cpuinfo"))
	if err != nil {
		return nil // they are tried
	}
	flags := strings.Fields(string(text))
	for module, flag := range map[string]string{"kvm_intel": "vmx", "kvm_amd": "svm"} {
		if !slices.Contains(flags, flag) {
			modules = append(modules, module)
		}
	}
	return modules
}

// loadAll loads all modules but those of the groups that are to be skipped,
// and says what was done.
func (b *boot) loadAll() {
	b.checkSkips()
	skip := b.args.Skip
	if b.args.Safe {
		skip = append(skip[:len(skip):len(skip)], safeSkips...)
		b.say("safe mode: modules of %s are not loaded", strings.Join(safeSkips, " and "))
	}
	skipped := 0
	cannot := b.unvirtualized()
	b.loadModules(func(m module) bool {
		if slices.Contains(cannot, m.name()) {
			b.modules.absent++
			return false
		}
		if slices.Contains(skip, m.group) {
			skipped++
			return false
		}
		return true
	})
	b.say("kernel modules: %d loaded, %d without hardware, %d skipped", b.modules.loaded, b.modules.absent, skipped)
}
