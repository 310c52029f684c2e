package kmod

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Limits of what is read from a modules tree.
const (
	maxModules     = 20000
	maxModuleBytes = 64 << 20
	maxListBytes   = 4 << 20 // modules.builtin
)

// Group is a set of wanted modules which are loaded, or left out, together.
type Group struct {
	Name    string
	Modules []string
}

// Entry is one module to load.
type Entry struct {
	Group string // the first group that needs it
	Name  string // canonical
	Path  string // inside the tree
}

// Order is the answer of [Tree.Resolve].
type Order struct {
	Load    []Entry  // in this order, each once
	Builtin []string // wanted, and part of the kernel itself
	Missing []string // wanted or depended on, and nowhere in the tree; sorted
}

// Tree is a directory of modules as found in /lib/modules/RELEASE.
type Tree struct {
	fsys    fs.FS
	paths   map[string]string // canonical name -> path
	builtin map[string]bool
	infos   map[string]Info
}

// suffixes are the names that module files may end in.
var suffixes = []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"}

// ModuleName returns the canonical module name of a file path.
func ModuleName(file string) (name string, ok bool) {
	for _, s := range suffixes {
		if base, ok := strings.CutSuffix(path.Base(file), s); ok && base != "" {
			return Canonical(base), true
		}
	}
	return "", false
}

// Open indexes the tree. Compressed modules are known by name and opened when
// they are needed. Where two files carry the same module, the first one in
// lexical order counts.
func Open(fsys fs.FS) (*Tree, error) {
	t := &Tree{fsys: fsys, paths: map[string]string{}, builtin: map[string]bool{}, infos: map[string]Info{}}
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, ok := ModuleName(file)
		if !ok || !d.Type().IsRegular() {
			return nil
		}
		if _, twice := t.paths[name]; !twice {
			t.paths[name] = file
		}
		if len(t.paths) > maxModules {
			return fmt.Errorf("more than %d modules", maxModules)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list kernel modules: %w", err)
	}
	return t, t.readBuiltin()
}

func (t *Tree) readBuiltin() error {
	list, err := ReadFile(t.fsys, "modules.builtin", maxListBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the kernel's built-in modules: %w", err)
	}
	for line := range strings.FieldsSeq(string(list)) {
		if name, ok := ModuleName(line); ok {
			t.builtin[name] = true
		}
	}
	return nil
}

// Module returns the uncompressed content of a module.
func (t *Tree) Module(name string) ([]byte, error) {
	file, ok := t.paths[name]
	if !ok {
		return nil, fmt.Errorf("read kernel module %s: %w", name, fs.ErrNotExist)
	}
	raw, err := ReadFile(t.fsys, file, maxModuleBytes)
	if err != nil {
		return nil, fmt.Errorf("read kernel module %s: %w", name, err)
	}
	if raw, err = decompress(file, raw); err != nil {
		return nil, fmt.Errorf("read kernel module %s: %w", name, err)
	}
	return raw, nil
}

func (t *Tree) info(name string) (Info, error) {
	if info, ok := t.infos[name]; ok {
		return info, nil
	}
	raw, err := t.Module(name)
	if err != nil {
		return Info{}, err
	}
	info, err := ReadInfo(bytes.NewReader(raw))
	if err != nil {
		return Info{}, fmt.Errorf("read kernel module %s (%s): %w", name, t.paths[name], err)
	}
	t.infos[name] = info
	return info, nil
}

// Resolve orders the wanted modules and all that they depend on: what a
// module needs comes before it, otherwise the order of the groups is kept.
// A dependency that the tree does not have is reported in Missing, and so is a
// wanted module. A soft dependency is followed where it names a module of the
// tree; one that names an alias must be wanted by name. The error tells of a
// damaged module.
func (t *Tree) Resolve(groups []Group) (Order, error) {
	r := resolver{tree: t, seen: map[string]bool{}}
	for _, g := range groups {
		for _, name := range g.Modules {
			if err := r.visit(g.Name, Canonical(name), true); err != nil {
				return Order{}, err
			}
		}
	}
	slices.Sort(r.order.Missing)
	return r.order, nil
}

type resolver struct {
	tree  *Tree
	seen  map[string]bool // also breaks cycles
	order Order
}

func (r *resolver) visit(group, name string, wanted bool) error {
	if r.seen[name] {
		return nil
	}
	r.seen[name] = true
	if _, ok := r.tree.paths[name]; !ok {
		switch {
		case !r.tree.builtin[name]:
			r.order.Missing = append(r.order.Missing, name)
		case wanted:
			r.order.Builtin = append(r.order.Builtin, name)
		}
		return nil
	}
	info, err := r.tree.info(name)
	if err != nil {
		return err
	}
	for _, soft := range info.SoftPre {
		if _, ok := r.tree.paths[soft]; ok {
			if err := r.visit(group, soft, false); err != nil {
				return err
			}
		}
	}
	for _, dep := range info.Depends {
		if err := r.visit(group, dep, false); err != nil {
			return err
		}
	}
	r.order.Load = append(r.order.Load, Entry{Group: group, Name: name, Path: r.tree.paths[name]})
	return nil
}
