package kmod_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/rayos/rayboot/tools/mkimage/kmod"
	"github.com/rayos/rayboot/tools/mkimage/kmod/kmodtest"
)

func TestReadInfo(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		want   kmod.Info
	}{
		{"none", []string{"license=GPL"}, kmod.Info{}},
		{"empty list", []string{"depends="}, kmod.Info{}},
		{"depends", []string{"depends=nvme-core,t10-pi", "name=nvme"}, kmod.Info{Depends: []string{"nvme_core", "t10_pi"}}},
		{"softdep", []string{"softdep=pre: a-b c post: d", "softdep=post: e pre: f"}, kmod.Info{SoftPre: []string{"a_b", "c", "f"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := kmod.ReadInfo(bytes.NewReader(kmodtest.Module(c.fields...)))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestReadInfoRefuses(t *testing.T) {
	module := kmodtest.Module("depends=x")
	for name, b := range map[string][]byte{
		"empty":      nil,
		"text":       []byte("#!/bin/sh\nexit 0\n"),
		"cut off":    module[:len(module)-1],
		"no modinfo": bytes.Replace(module, []byte(".modinfo"), []byte(".modinfX"), 1),
	} {
		if _, err := kmod.ReadInfo(bytes.NewReader(b)); !errors.Is(err, kmod.ErrNotModule) {
			t.Errorf("%s: error %v, want ErrNotModule", name, err)
		}
	}
}

func FuzzReadInfo(f *testing.F) {
	f.Add(kmodtest.Module("depends=a,b", "softdep=pre: c"))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := kmod.ReadInfo(bytes.NewReader(b))
		if err != nil && !errors.Is(err, kmod.ErrNotModule) {
			t.Errorf("error %v is not ErrNotModule", err)
		}
		for _, name := range slices.Concat(info.Depends, info.SoftPre) {
			if name != kmod.Canonical(name) || name == "" || strings.Contains(name, "\x00") {
				t.Errorf("bad name %q", name)
			}
		}
	})
}

// modules is a tree with the kinds of dependencies that there are.
func modules() fstest.MapFS {
	file := func(fields ...string) *fstest.MapFile { return &fstest.MapFile{Data: kmodtest.Module(fields...)} }
	return fstest.MapFS{
		"kernel/drivers/usb/usb-storage.ko": file("depends=usbcore,scsi_mod"),
		"kernel/drivers/usb/usbcore.ko":     file("depends=usb-common"),
		"kernel/drivers/usb/usb-common.ko":  file(),
		"kernel/drivers/scsi/scsi_mod.ko":   file("depends="),
		"kernel/drivers/scsi/sd_mod.ko":     file("depends=scsi_mod", "softdep=pre: t10_pi crypto-alias"),
		"kernel/block/t10-pi.ko":            file(),
		"kernel/a.ko":                       file("depends=b"),
		"kernel/b.ko":                       file("depends=a"),
		"kernel/lost.ko":                    file("depends=nowhere,nls_base"),
		"kernel/broken.ko":                  {Data: []byte("no module")},
		"modules.builtin":                   {Data: []byte("kernel/fs/nls/nls_base.ko\n")},
		"modules.order":                     {Data: []byte("kernel/a.ko\n")},
	}
}

func resolve(t *testing.T, fsys fs.FS, groups ...kmod.Group) (kmod.Order, error) {
	t.Helper()
	tree, err := kmod.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Resolve(groups)
}

func names(entries []kmod.Entry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Group+":"+e.Name)
	}
	return out
}

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name   string
		groups []kmod.Group
		load   []string
		other  kmod.Order // Builtin and Missing
	}{
		{
			name:   "dependencies first, each once, in the first group that needs it",
			groups: []kmod.Group{{Name: "disk", Modules: []string{"sd_mod"}}, {Name: "usb", Modules: []string{"usb-storage", "scsi_mod"}}},
			load:   []string{"disk:t10_pi", "disk:scsi_mod", "disk:sd_mod", "usb:usb_common", "usb:usbcore", "usb:usb_storage"},
		},
		{name: "a cycle ends", groups: []kmod.Group{{Name: "g", Modules: []string{"a"}}}, load: []string{"g:b", "g:a"}},
		{
			name:   "missing and built-in",
			groups: []kmod.Group{{Name: "g", Modules: []string{"zzz", "lost", "nls_base"}}},
			load:   []string{"g:lost"},
			other:  kmod.Order{Missing: []string{"nowhere", "zzz"}},
		},
		{name: "built-in", groups: []kmod.Group{{Name: "g", Modules: []string{"nls-base"}}}, other: kmod.Order{Builtin: []string{"nls_base"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := resolve(t, modules(), c.groups...)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(names(got.Load), c.load) {
				t.Errorf("load %q, want %q", names(got.Load), c.load)
			}
			if !slices.Equal(got.Missing, c.other.Missing) || !slices.Equal(got.Builtin, c.other.Builtin) {
				t.Errorf("missing %q, builtin %q; want %q, %q", got.Missing, got.Builtin, c.other.Missing, c.other.Builtin)
			}
		})
	}
}

func TestResolveNamesADamagedModule(t *testing.T) {
	_, err := resolve(t, modules(), kmod.Group{Name: "g", Modules: []string{"broken"}})
	if !errors.Is(err, kmod.ErrNotModule) || !strings.Contains(err.Error(), "kernel/broken.ko") {
		t.Errorf("error %v does not name the file", err)
	}
}

func TestCompressedModules(t *testing.T) {
	plain := kmodtest.Module("depends=")
	writers := map[string]func(io.Writer) (io.WriteCloser, error){
		"m.ko.gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"m.ko.xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"m.ko.zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	}
	for file, create := range writers {
		t.Run(file, func(t *testing.T) {
			var packed bytes.Buffer
			w, err := create(&packed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(plain); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			tree, err := kmod.Open(fstest.MapFS{file: {Data: packed.Bytes()}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := tree.Module("m")
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
		t.Run(file+" damaged", func(t *testing.T) {
			tree, err := kmod.Open(fstest.MapFS{file: {Data: []byte("not compressed at all")}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tree.Module("m"); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}

func TestModuleName(t *testing.T) {
	for file, want := range map[string]string{"a/usb-storage.ko": "usb_storage", "x.ko.zst": "x", "modules.dep": "", ".ko": "", "x.ko.bz2": ""} {
		if got, ok := kmod.ModuleName(file); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", file, got, ok)
		}
	}
}
