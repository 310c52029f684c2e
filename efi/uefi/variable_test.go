package uefi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

var testVendor = uefi.MustParseGUID("8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10")

const volatile = uefi.BootServiceAccess | uefi.RuntimeAccess

func TestVariables(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	text := uefi.EncodeUTF16("rayos-🚀")
	if err := sys.SetVariable("RayosEntry", testVendor, volatile, text); err != nil {
		t.Fatal(err)
	}
	got, attr, err := sys.GetVariable("RayosEntry", testVendor)
	if err != nil || attr != volatile || uefi.DecodeUTF16(got) != "rayos-🚀" {
		t.Errorf("got %q, %#x, %v", got, attr, err)
	}
	if b, _, ok := fw.Variable("RayosEntry", testVendor); !ok || !bytes.Equal(b, text) {
		t.Errorf("the firmware has % x", b)
	}
	if err := sys.DeleteVariable("RayosEntry", testVendor); err != nil {
		t.Fatal(err)
	}
	for op, err := range map[string]error{
		"get variable RayosEntry": second(sys.GetVariable("RayosEntry", testVendor)),
		"delete variable Rayos":   sys.DeleteVariable("RayosEntry", testVendor),
	} {
		if !errors.Is(err, uefi.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), op) {
			t.Errorf("%s of nothing: %v", op, err)
		}
	}
}

func second(_ []byte, _ uefi.VariableAttr, err error) error { return err }

func TestVariableLarge(t *testing.T) {
	fw := newFirmware(t)
	data := bytes.Repeat([]byte("0123456789"), 5000)
	fw.SetVariable("dbx", testVendor, volatile, data)
	got, _, err := fw.System().GetVariable("dbx", testVendor)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	fw.SetVariable("dbx", testVendor, volatile, make([]byte, 1<<20))
	if _, _, err := fw.System().GetVariable("dbx", testVendor); err == nil || !strings.Contains(err.Error(), "more than 131072 bytes") {
		t.Errorf("1 MiB: %v", err)
	}
}

func TestVariableBadNames(t *testing.T) {
	sys := newFirmware(t).System()
	for _, name := range []string{"", "a\x00b", "🚀", "\xff"} {
		if err := sys.SetVariable(name, testVendor, volatile, []byte{1}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("set %q: %v", name, err)
		}
		if _, _, err := sys.GetVariable(name, testVendor); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("get %q: %v", name, err)
		}
	}
	if err := sys.SetVariable("a", testVendor, volatile, nil); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("set no data: %v", err)
	}
}

func TestVariableNames(t *testing.T) {
	fw := newFirmware(t)
	var want []uefi.VariableName
	for i := range 20 {
		v := uefi.VariableName{Name: fmt.Sprintf("Boot%04X", 19-i), Vendor: testVendor}
		v.Vendor[0] = byte(i % 3)
		want = append(want, v)
		fw.SetVariable(v.Name, v.Vendor, volatile, []byte{1})
	}
	var got []uefi.VariableName
	for v, err := range fw.System().VariableNames() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for range fw.System().VariableNames() {
		break // must not panic
	}
}

// TestVariablesOfLyingFirmware: no lie makes a loop without end or a panic.
func TestVariablesOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	fw.Override("GetNextVariableName", func(args []uintptr) uefi.Status {
		copy(raw.Slice[uint16](args[1], 2), []uint16{'A', 0})
		return uefi.Success
	})
	var last error
	count := 0
	for _, err := range sys.VariableNames() {
		last = err
		count++
	}
	if last == nil || !strings.Contains(last.Error(), "more than 16384") || count != 16385 {
		t.Errorf("an endless list: %v after %d", last, count)
	}
	fw.Override("GetNextVariableName", func(args []uintptr) uefi.Status { return uefi.Success })
	for v, err := range sys.VariableNames() {
		if err == nil {
			t.Errorf("a variable without a name is listed as %q", v.Name)
		}
	}
	for name, lie := range map[string]func(size *uintptr) uefi.Status{
		"too small for ever": func(size *uintptr) uefi.Status { *size = 1; return uefi.ErrBufferTooSmall },
		"huge":               func(size *uintptr) uefi.Status { *size = ^uintptr(0); return uefi.ErrBufferTooSmall },
		"more than asked":    func(size *uintptr) uefi.Status { *size = 1 << 20; return uefi.Success },
	} {
		fw.Override("GetVariable", func(args []uintptr) uefi.Status { return lie(raw.At[uintptr](args[3])) })
		if b, _, err := sys.GetVariable("x", testVendor); err == nil {
			t.Errorf("%s: got %d bytes", name, len(b))
		}
	}
}

func TestSecureBootVariables(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	for _, c := range []struct {
		data []byte
		want bool
	}{{nil, false}, {[]byte{0}, false}, {[]byte{1}, true}, {[]byte{1, 0}, false}} {
		fw.SetVariable("SecureBoot", uefi.GlobalVariable, volatile, c.data)
		fw.SetVariable("SetupMode", uefi.GlobalVariable, volatile, c.data)
		if on, err := sys.SecureBoot(); on != c.want || err != nil {
			t.Errorf("SecureBoot % x: %t, %v", c.data, on, err)
		}
		if on, err := sys.SetupMode(); on != c.want || err != nil {
			t.Errorf("SetupMode % x: %t, %v", c.data, on, err)
		}
	}
}

func TestFirmwareUI(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	if ok, err := sys.FirmwareUISupported(); ok || err != nil {
		t.Errorf("without the variable: %t, %v", ok, err)
	}
	fw.SetVariable("OsIndicationsSupported", uefi.GlobalVariable, volatile, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	fw.SetVariable("OsIndications", uefi.GlobalVariable, volatile|uefi.NonVolatile, []byte{4, 0, 0, 0, 0, 0, 0, 0})
	if ok, err := sys.FirmwareUISupported(); !ok || err != nil {
		t.Errorf("with the variable: %t, %v", ok, err)
	}
	if err := sys.RequestFirmwareUI(); err != nil {
		t.Fatal(err)
	}
	if b, attr, _ := fw.Variable("OsIndications", uefi.GlobalVariable); !bytes.Equal(b, []byte{5, 0, 0, 0, 0, 0, 0, 0}) || attr != volatile|uefi.NonVolatile {
		t.Errorf("OsIndications is % x, %#x", b, attr)
	}
	fw.SetVariable("OsIndications", uefi.GlobalVariable, volatile|uefi.NonVolatile, []byte{4})
	if err := sys.RequestFirmwareUI(); err == nil {
		t.Error("a variable of one byte was taken")
	}
}

func TestBootOptions(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	if order, err := sys.BootOrder(); order != nil || err != nil {
		t.Errorf("without the variable: %v, %v", order, err)
	}
	o := uefi.LoadOption{Attributes: uefi.LoadOptionActive, Description: "Windows Boot Manager"}
	b, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	fw.SetVariable("BootOrder", uefi.GlobalVariable, volatile, []byte{0x0a, 0, 1, 0})
	fw.SetVariable(uefi.BootOptionName(10), uefi.GlobalVariable, volatile, b)
	fw.SetVariable("Boot0001", uefi.GlobalVariable, volatile, []byte{1})
	if order, err := sys.BootOrder(); !slices.Equal(order, []uint16{10, 1}) || err != nil {
		t.Errorf("order is %v, %v", order, err)
	}
	if got, err := sys.BootOption(10); got.Description != o.Description || err != nil {
		t.Errorf("option is %+v, %v", got, err)
	}
	if _, err := sys.BootOption(1); err == nil || !strings.Contains(err.Error(), "get variable Boot0001: parse load option") {
		t.Errorf("broken option: %v", err)
	}
}
