package qemu

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindFirmware(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  FirmwareKind
		files string
		want  string // code and variables, or "" for an error
	}{
		{"4M pair", Plain, "OVMF_CODE_4M.fd OVMF_VARS_4M.fd OVMF_CODE.fd OVMF_VARS.fd", "OVMF_CODE_4M.fd OVMF_VARS_4M.fd"},
		{"2M pair", Plain, "OVMF_CODE.fd OVMF_VARS.fd", "OVMF_CODE.fd OVMF_VARS.fd"},
		{"never across builds", Plain, "OVMF_CODE.fd OVMF_VARS_4M.fd", ""},
		{"half a pair is passed over", Plain, "OVMF_CODE_4M.fd OVMF_CODE.fd OVMF_VARS.fd", "OVMF_CODE.fd OVMF_VARS.fd"},
		{"Secure Boot", SecureBoot, "OVMF_CODE_4M.secboot.fd OVMF_VARS_4M.snakeoil.fd", "OVMF_CODE_4M.secboot.fd OVMF_VARS_4M.snakeoil.fd"},
		{"Secure Boot needs its keys", SecureBoot, "OVMF_CODE_4M.secboot.fd OVMF_VARS_4M.fd", ""},
		{"nothing", Plain, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			for _, name := range strings.Fields(c.files) {
				writeFile(t, filepath.Join(folder, name), "")
			}
			got, err := FindFirmware(c.kind, t.TempDir(), folder)
			if c.want == "" {
				if !errors.Is(err, ErrNoFirmware) || !strings.Contains(err.Error(), "apt-get install ovmf") {
					t.Errorf("found %v, error %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if pair := filepath.Base(got.Code) + " " + filepath.Base(got.Vars); pair != c.want {
				t.Errorf("got %s, want %s", pair, c.want)
			}
			if got.SMM != (c.kind == SecureBoot) {
				t.Errorf("SMM is %v", got.SMM)
			}
		})
	}
}

func TestVarStoreIsMadeOnce(t *testing.T) {
	folder := t.TempDir()
	template, store := filepath.Join(folder, "template"), filepath.Join(folder, "store")
	writeFile(t, template, "empty")
	if err := newVarStore(store, template); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, store); got != "empty" {
		t.Errorf("a fresh store holds %q", got)
	}
	writeFile(t, store, "used")
	if err := newVarStore(store, template); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, store); got != "used" {
		t.Errorf("a used store became %q", got)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
