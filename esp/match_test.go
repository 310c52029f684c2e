package esp

import (
	"strings"
	"testing"
)

func TestMatchID(t *testing.T) {
	tests := []struct {
		pattern, id string
		want        bool
	}{
		{"rayos", "rayos", true},
		{"RayOS", "rayos", true},
		{"rayos", "RAYOS", true},
		{"rayos", "rayos-safe", false},
		{"rayos*", "rayos-safe", true},
		{"*", "rayos", true},
		{"*", "", true},
		{"", "", true},
		{"", "rayos", false},
		{"*.conf", "rayos.conf", true},
		{"linux-?.conf", "linux-6.conf", true},
		{"linux-?.conf", "linux-66.conf", false},
		{"linux-[56]", "linux-6", true},
		{"linux-[5-7]", "linux-6", true},
		{"linux-[a-f5-7]", "linux-6", true},
		{"linux-[!56]", "linux-6", false},
		{"linux-[!56]", "linux-7", true},
		{"linux-[^56]", "linux-6", false},
		{`linux-\*`, "linux-*", true},
		{`linux-\*`, "linux-6", false},
		{`linux-\[!6]`, "linux-[!6]", true},
		{`linux-[5\-7]`, "linux-6", false},
		{"linux-[6", "linux-6", false},
		{"linux-[6", "linux-[6", false},
		{"linux-[]", "linux-", false},
		{`linux\`, `linux\`, false},
		{"é?", "éa", true},
		{"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	}
	for _, tt := range tests {
		if got := MatchID(tt.pattern, tt.id); got != tt.want {
			t.Errorf("MatchID(%q, %q) = %v, want %v", tt.pattern, tt.id, got, tt.want)
		}
	}
}

func FuzzMatchID(f *testing.F) {
	f.Add("[!a-c]*?\\", "abc")
	f.Add("*a*a*a*a*b", strings.Repeat("a", 60))
	f.Fuzz(func(t *testing.T, pattern, id string) {
		if MatchID(pattern, id) && checkPattern(pattern) != nil {
			t.Errorf("%q matches %q and is malformed", pattern, id)
		}
		if !strings.ContainsAny(id, `*?[\`) && !MatchID(id, id) && !strings.Contains(id, "\xff") && strings.ToValidUTF8(id, "") == id {
			t.Errorf("%q does not match itself", id)
		}
	})
}
