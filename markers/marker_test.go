package markers

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		line string
		want Marker
	}{
		{
			"[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default",
			Marker{"RAYOS_BOOTMGR", "SELECTED", []Field{{"entry", "rayos"}, {"reason", "default"}}},
		},
		{"[RAYOS_LOG:EXPORTED]", Marker{"RAYOS_LOG", "EXPORTED", nil}},
		{"[RAYOS_INSTALLER:BOOT:USB] id=2", Marker{"RAYOS_INSTALLER", "BOOT:USB", []Field{{"id", "2"}}}},
		{
			`[RAYOS_X:Y] a="two words, one comma", b="", c=\EFI\x+3-0.conf, d="a=b \"q\" \\ \u00e9\n\xff"`,
			Marker{"RAYOS_X", "Y", []Field{
				{"a", "two words, one comma"}, {"b", ""}, {"c", `\EFI\x+3-0.conf`}, {"d", "a=b \"q\" \\ é\n\xff"},
			}},
		},
		{"[RAYOS_X2_Y:A_1] k_2=[v]", Marker{"RAYOS_X2_Y", "A_1", []Field{{"k_2", "[v]"}}}},
	}
	for _, tt := range tests {
		got, err := Parse(tt.line)
		if err != nil {
			t.Errorf("Parse(%s): %v", tt.line, err)
			continue
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Parse(%s)\n got %#v\nwant %#v", tt.line, got, tt.want)
		}
		if got.String() != tt.line {
			t.Errorf("Parse(%s).String() = %s", tt.line, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	field := "k=v"
	tests := map[string]string{
		"empty":                     "",
		"plain text":                "Linux version 6.1.0",
		"kernel time stamp":         "[    0.000000] RAYOS_BOOTMGR:SELECTED",
		"not closed":                "[RAYOS_BOOTMGR:SELECTED entry=rayos",
		"no name":                   "[RAYOS_BOOTMGR]",
		"empty name":                "[RAYOS_BOOTMGR:]",
		"empty word in name":        "[RAYOS_BOOTMGR:A::B]",
		"other subsystem":           "[LINUX_BOOT:SELECTED]",
		"nothing after RAYOS_":      "[RAYOS_:SELECTED]",
		"lower case subsystem":      "[RAYOS_bootmgr:SELECTED]",
		"lower case name":           "[RAYOS_BOOTMGR:selected]",
		"name begins with digit":    "[RAYOS_BOOTMGR:1SELECTED]",
		"leading space":             " [RAYOS_BOOTMGR:SELECTED]",
		"trailing space":            "[RAYOS_BOOTMGR:SELECTED] ",
		"trailing carriage return":  "[RAYOS_BOOTMGR:SELECTED]\r",
		"trailing newline":          "[RAYOS_BOOTMGR:SELECTED]\n",
		"text after it":             "[RAYOS_BOOTMGR:SELECTED] and more",
		"no space before field":     "[RAYOS_BOOTMGR:SELECTED]k=v",
		"two spaces before field":   "[RAYOS_BOOTMGR:SELECTED]  k=v",
		"comma without space":       "[RAYOS_BOOTMGR:SELECTED] k=v,l=w",
		"space without comma":       "[RAYOS_BOOTMGR:SELECTED] k=v l=w",
		"comma at the end":          "[RAYOS_BOOTMGR:SELECTED] k=v,",
		"empty bare value":          "[RAYOS_BOOTMGR:SELECTED] k=",
		"no key":                    "[RAYOS_BOOTMGR:SELECTED] =v",
		"upper case key":            "[RAYOS_BOOTMGR:SELECTED] K=v",
		"hyphen in key":             "[RAYOS_BOOTMGR:SELECTED] a-b=v",
		"equals sign in bare value": "[RAYOS_BOOTMGR:SELECTED] k=v=w",
		"quoted without need":       `[RAYOS_BOOTMGR:SELECTED] k="v"`,
		"other spelling of escape":  `[RAYOS_BOOTMGR:SELECTED] k="\x41 b"`,
		"quote not closed":          `[RAYOS_BOOTMGR:SELECTED] k="v w`,
		"unknown escape":            `[RAYOS_BOOTMGR:SELECTED] k="v \q"`,
		"raw string":                "[RAYOS_BOOTMGR:SELECTED] k=`v w`",
		"not ASCII":                 "[RAYOS_BOOTMGR:SELECTED] k=é",
		"terminal escape":           "[RAYOS_BOOTMGR:SELECTED] k=\x1b[1mv",
		"same key twice":            "[RAYOS_BOOTMGR:SELECTED] k=v, k=v",
		"too many fields":           "[RAYOS_X:Y] a=1" + fields(MaxFields),
		"value too long":            "[RAYOS_X:Y] k=" + strings.Repeat("v", MaxValueBytes+1),
		"line too long":             "[RAYOS_X:Y] " + strings.Repeat(field, MaxLineBytes),
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			if m, err := Parse(line); !errors.Is(err, ErrNotMarker) {
				t.Errorf("Parse(%q) = %v, %v; want ErrNotMarker", line, m, err)
			}
		})
	}
}

// fields returns n different fields as they follow a first one.
func fields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(", k" + strings.Repeat("x", i) + "=v")
	}
	return b.String()
}

func TestValidateRefuses(t *testing.T) {
	long := strings.Repeat("v", MaxValueBytes)
	for name, m := range map[string]Marker{
		"zero":          {},
		"lower case":    {"RAYOS_X", "y", nil},
		"bracket":       {"RAYOS_X", "Y]", nil},
		"empty key":     {"RAYOS_X", "Y", []Field{{"", "v"}}},
		"key twice":     {"RAYOS_X", "Y", []Field{{"k", "v"}, {"k", "w"}}},
		"value too big": {"RAYOS_X", "Y", []Field{{"k", long + "v"}}},
		"line too big":  {"RAYOS_X", "Y", []Field{{"k", long}, {"l", long}, {"m", long}, {"n", long}}},
		"many fields":   {"RAYOS_X", "Y", make([]Field, MaxFields+1)},
	} {
		if err := m.Validate(); !errors.Is(err, ErrNotMarker) {
			t.Errorf("%s: Validate = %v, want ErrNotMarker", name, err)
		}
	}
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, ErrNotMarker) {
			t.Errorf("recovered %v, want ErrNotMarker", err)
		}
	}()
	MustParse("no marker")
}

func FuzzParse(f *testing.F) {
	for _, d := range All() {
		f.Add(d.Example.Marker().String())
	}
	f.Add(`[RAYOS_X:Y] a="two words", b="\xff\u00e9\U0001f600", c=[`)
	f.Fuzz(func(t *testing.T, line string) {
		m, err := Parse(line)
		if err != nil {
			return
		}
		if got := m.String(); got != line {
			t.Errorf("Parse(%q).String() = %q", line, got)
		}
		if found, ok, err := Find(line); !ok || err != nil || found.String() != line {
			t.Errorf("Find(%q) = %v, %v, %v", line, found, ok, err)
		}
	})
}
