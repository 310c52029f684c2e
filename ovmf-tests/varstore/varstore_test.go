package varstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/bootoption"
)

// empty returns a store as OVMF's template is, but with only room bytes for variables.
func empty(room int) []byte {
	const volumeHeader = 72
	store := bytes.Repeat([]byte{0xff}, volumeHeader+storeHeaderSize+room)
	copy(store[volumeSignature:], "_FVH")
	binary.LittleEndian.PutUint16(store[volumeHeaderLength:], volumeHeader)
	header := store[volumeHeader:]
	copy(header, authenticatedStore[:])
	binary.LittleEndian.PutUint32(header[storeSize:], uint32(storeHeaderSize+room))
	header[storeFormat], header[storeState] = storeFormatted, storeHealthy
	return store
}

func TestAppendThenList(t *testing.T) {
	store := empty(1000)
	option, err := BootOption(1, bootoption.Option{Title: "Linux", Partition: bootoption.Partition{Number: 1, StartLBA: 2048, SizeLBA: 100}, Path: `\vmlinuz`}, "quiet")
	if err != nil {
		t.Fatal(err)
	}
	want := []Variable{
		option,
		BootOrder(1),
		{Name: "Größe", Attributes: NonVolatile, Data: []byte{}},
	}
	for _, v := range want {
		if err := Append(store, v); err != nil {
			t.Fatal(err)
		}
	}
	got, err := List(store)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b Variable) bool {
		return a.Name == b.Name && a.Vendor == b.Vendor && a.Attributes == b.Attributes && bytes.Equal(a.Data, b.Data)
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDeletedVariablesAreNotListed(t *testing.T) {
	store := empty(1000)
	if err := Append(store, BootOrder(1), BootOrder(2)); err != nil {
		t.Fatal(err)
	}
	area, err := variableArea(store)
	if err != nil {
		t.Fatal(err)
	}
	area[variableState] &= 0xfd // VAR_DELETED
	got, err := List(store)
	if err != nil || len(got) != 1 || got[0].Data[0] != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFullStore(t *testing.T) {
	store := empty(100)
	if err := Append(store, Variable{Name: "a", Data: make([]byte, 200)}); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("got %v", err)
	}
	if got, err := List(store); err != nil || len(got) != 0 {
		t.Errorf("a refused variable left %v, %v", got, err)
	}
}

// TestTemplates reads what the distribution ships, where it is installed.
func TestTemplates(t *testing.T) {
	for _, c := range []struct {
		path string
		want string // a variable that is there; "" for none at all
	}{
		{"/usr/share/OVMF/OVMF_VARS_4M.fd", ""},
		{"/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd", "PK"},
	} {
		store, err := os.ReadFile(c.path)
		if errors.Is(err, os.ErrNotExist) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		all, err := List(store)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		has := slices.ContainsFunc(all, func(v Variable) bool { return v.Name == c.want })
		if c.want == "" && len(all) != 0 || c.want != "" && !has {
			t.Errorf("%s holds %d variables, %q among them: %v", c.path, len(all), c.want, has)
		}
	}
}

func FuzzList(f *testing.F) {
	store := empty(300)
	if err := Append(store, BootOrder(1, 2)); err != nil {
		f.Fatal(err)
	}
	f.Add(store)
	f.Add(empty(0))
	f.Fuzz(func(t *testing.T, store []byte) {
		all, err := List(store)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("error outside the chain: %v", err)
			}
			return
		}
		held := 0
		for _, v := range all {
			held += len(v.Data)
		}
		if held > len(store) {
			t.Errorf("%d bytes of data in a store of %d", held, len(store))
		}
		if err := Append(store, Variable{Name: "x"}); err != nil {
			return // full, or not erased
		}
		if more, err := List(store); err != nil || len(more) != len(all)+1 {
			t.Errorf("after one more there are %d of %d, %v", len(more), len(all)+1, err)
		}
	})
}
