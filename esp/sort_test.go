package esp

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// entryNamed makes a Type #1 entry for tests of order and titles.
func entryNamed(t *testing.T, file, sortKey, machineID, version string) Entry {
	t.Helper()
	name, err := ParseFileName(file)
	if err != nil {
		t.Fatal(err)
	}
	e := Entry{Kind: Type1, SortKey: sortKey, MachineID: machineID, Version: version, Path: EntriesDir + "/" + file}
	e.setFileName(name)
	return e
}

func TestSort(t *testing.T) {
	want := []Entry{
		entryNamed(t, "z.conf", "a", "", "2"),
		entryNamed(t, "y.conf", "a", "1", "6.1.0-10"),
		entryNamed(t, "x+1-2.conf", "a", "1", "6.1.0-9"),
		entryNamed(t, "w2.conf", "a", "1", ""),
		entryNamed(t, "w1.conf", "a", "1", ""),
		entryNamed(t, "v.conf", "a", "2", "9"),
		entryNamed(t, "u.conf", "b", "1", "9"),
		entryNamed(t, "linux-6.10.conf", "", "", "1"),
		entryNamed(t, "linux-6.9+3.conf", "", "9", "2"),
		entryNamed(t, "linux-6.9~rc1.conf", "", "0", "3"),
		entryNamed(t, "q+0-3.conf", "a", "1", "99"),
		entryNamed(t, "r+0-3.conf", "", "", "99"),
	}
	shuffle := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		got := slices.Clone(want)
		shuffle.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		Sort(got)
		if ids(got) != ids(want) {
			t.Fatalf("order is %s\n    want %s", ids(got), ids(want))
		}
	}
}

func TestTitles(t *testing.T) {
	titled := func(file, title, version, machineID string) Entry {
		e := entryNamed(t, file, "", machineID, version)
		e.Title = title
		return e
	}
	tests := []struct {
		name    string
		entries []Entry
		want    []string
	}{
		{"different", []Entry{titled("a.conf", "A", "1", "m"), titled("b.conf", "B", "1", "m")}, []string{"A", "B"}},
		{"no title", []Entry{titled("a+1.conf", "", "1", "m")}, []string{"a"}},
		{"version", []Entry{titled("a.conf", "A", "1", "m"), titled("b.conf", "A", "2", "m")}, []string{"A (1)", "A (2)"}},
		{
			"machine ID",
			[]Entry{titled("a.conf", "A", "1", "m"), titled("b.conf", "A", "1", "n"), titled("c.conf", "A", "2", "n")},
			[]string{"A (1) (m)", "A (1) (n)", "A (2)"},
		},
		{"ID", []Entry{titled("a.conf", "A", "", ""), titled("b.conf", "A", "", "")}, []string{"A (a)", "A (b)"}},
		{"one without version", []Entry{titled("a.conf", "A", "", ""), titled("b.conf", "A", "1", "")}, []string{"A", "A (1)"}},
	}
	for _, tt := range tests {
		if got := Titles(tt.entries); !slices.Equal(got, tt.want) {
			t.Errorf("%s: titles are %q, want %q", tt.name, got, tt.want)
		}
	}
}
