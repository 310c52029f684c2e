//go:build ovmf

package ovmftests

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/rayos/rayboot/efi/bootoption"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/ovmf-tests/varstore"
)

// bootVariables are what the firmware has about booting: Boot#### by name, and the names in BootOrder.
type bootVariables struct {
	options map[string]string
	order   []string
}

var bootOptionName = regexp.MustCompile(`^Boot[0-9A-F]{4}$`)

// readBootVariables reads them from the file of a machine's variables, which may be on.
func readBootVariables(t *testing.T, path string) bootVariables {
	t.Helper()
	store, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := varstore.List(store)
	if err != nil {
		t.Fatal(err)
	}
	b := bootVariables{options: map[string]string{}}
	for _, v := range all {
		switch {
		case v.Vendor != varstore.GlobalVariable:
		case bootOptionName.MatchString(v.Name):
			b.options[v.Name] = fmt.Sprint(v.Attributes) + string(v.Data)
			if o, err := bootoption.Decode(v.Data); err == nil {
				t.Logf("%s: %q, %s", v.Name, o.Title, o.Path)
			}
		case v.Name == "BootOrder":
			for data := v.Data; len(data) >= 2; data = data[2:] {
				b.order = append(b.order, bootoption.Name(binary.LittleEndian.Uint16(data)))
			}
		}
	}
	if len(b.order) < 2 {
		t.Fatalf("the order is %v, with too few entries of others", b.order)
	}
	return b
}

// registered wants one new option in the firmware's variables, which starts the disk and is tried first. All that was
// there before is as it was.
func registered(t *testing.T, before, after bootVariables, entry string, esp gpt.GUID) {
	t.Helper()
	text, ok := after.options[entry]
	if !ok {
		t.Fatalf("there is no %s", entry)
	}
	o, err := bootoption.Decode([]byte(text[1:])) // behind the attributes
	if err != nil || o.Title != "RayOS" || o.Partition.ID != esp || text[:1] != fmt.Sprint(varstore.NonVolatile) {
		t.Errorf("%s is %+v, %v; the disk's ESP is %v", entry, o, err, esp)
	}
	if want := append([]string{entry}, before.order...); !slices.Equal(after.order, want) {
		t.Errorf("the order is %v, want %v", after.order, want)
	}
	delete(after.options, entry)
	if !maps.Equal(after.options, before.options) {
		t.Errorf("other options were changed: %q became %q", before.options, after.options)
	}
}
