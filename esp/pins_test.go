package esp_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/rayos/rayboot/esp"
)

func TestPins(t *testing.T) {
	want := esp.Pins{Linux: sha256.Sum256([]byte("kernel")), Initrd: sha256.Sum256([]byte("initrd"))}
	entry := esp.Entry{Title: "A", Linux: "linux", Private: append(want.Private(), esp.BlessByRuntime())}
	text, err := esp.FormatType1(entry)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := esp.ParseType1("a.conf", text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parsed.Pins(); err != nil || got != want {
		t.Errorf("pins %v, %v", got, err)
	}
	if !parsed.BlessedByRuntime() {
		t.Error("nobody blesses it")
	}
}

func TestNoPins(t *testing.T) {
	var plain esp.Entry
	if p, err := plain.Pins(); err != nil || p != (esp.Pins{}) || p.Private() != nil || plain.BlessedByRuntime() {
		t.Errorf("pins %v, %v", p, err)
	}
}

// TestMalformedPins: an entry whose pin cannot be read must not be started as if
// it had none.
func TestMalformedPins(t *testing.T) {
	for _, value := range []string{"", "12", strings.Repeat("x", 64), strings.Repeat("a", 65)} {
		e := esp.Entry{Private: []esp.Private{{Key: esp.InitrdPinKey, Value: value}}}
		if p, err := e.Pins(); err == nil || !strings.Contains(err.Error(), esp.InitrdPinKey) || p != (esp.Pins{}) {
			t.Errorf("%q: pins %v, %v", value, p, err)
		}
	}
}
