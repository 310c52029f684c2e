package main

import (
	"slices"
	"strings"
	"testing"
)

// sample are spans as statecost makes them, in two rounds; the marks cost 10,000.
func sample() []span {
	var spans []span
	for _, factor := range []uint64{2, 1} {
		for _, s := range []span{
			{spanNothing, 0},
			{spanLoad, 300_000 * factor},
			{spanSave, 400_000 * factor},
			{spanLoadFull, 500_000 * factor},
			{spanSaveFull, 700_000 * factor},
			{spanReadFile, 100_000 * factor},
			{spanReadBlocks, 50_000 * factor},
		} {
			spans = append(spans, span{s.name, s.cost + 10_000})
		}
	}
	return append(spans, span{spanDigest, 900_010_000})
}

func TestReport(t *testing.T) {
	rows := append(stateRows(sample()), digestRows(sample(), hostCost{sha2: 38_000_000, std: 901_000_000})...)
	var out strings.Builder
	if err := report(&out, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"million instructions at first again bar",
		"load the boot state 0.600 0.300",
		"save the boot state 0.800 0.400",
		"load and save the boot state 1.400 0.700 2.000 met",
		"the same with as many entries and events as there can be 2.400 1.200 2.000 missed",
		"read 4 KiB of a file, for comparison 0.200 0.100",
		"read 4 KiB of the disk, for comparison 0.100 0.050",
		"SHA-256 of 15 MiB, QEMU's processor without SHA extensions 900.000",
		"SHA-256 of 15 MiB, this processor's SHA extensions 38.000 40.000 met",
		"the same by crypto/sha256 without AVX, for comparison 901.000",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestDigestRows(t *testing.T) {
	rows := digestRows(sample(), hostCost{std: 1})
	var out strings.Builder
	if err := report(&out, rows); err != nil {
		t.Fatal(err)
	}
	if missed(rows) || strings.Count(out.String(), "not measurable here") != 1 {
		t.Errorf("a host without SHA extensions:\n%s", out.String())
	}
	rows = digestRows([]span{{spanExtensions, digestBar + 1}}, hostCost{sha2: digestBar, std: 1})
	if !rows[0].missed() || rows[1].missed() || !missed(rows) {
		t.Errorf("an emulator with SHA extensions, and a bar that is just missed: %+v", rows)
	}
	if r := (row{first: 1, repeated: stateBar + 1, bar: stateBar}); !r.missed() {
		t.Error("a bar that is missed only when it is done again")
	}
}

func TestScale(t *testing.T) {
	const perByte, fixed = 3, 70
	got, err := scale(fixed+perByte*shortBytes, fixed+perByte*longBytes)
	if want := uint64(fixed + perByte*digestBytes); got != want || err != nil {
		t.Errorf("%d, %v, want %d", got, err, want)
	}
	if n, err := scale(100, 100); err == nil {
		t.Errorf("a digest that costs nothing: %d", n)
	}
}

func TestHasExtensions(t *testing.T) {
	for _, c := range []struct {
		cpuinfo string
		want    bool
	}{
		{"processor\t: 0\nflags\t\t: fpu sse4_1 sha_ni\nvmx flags\t: x\n", true},
		{"processor\t: 0\nflags\t\t: fpu sse4_1\nmodel name\t: sha_ni\n", false},
		{"processor\t: 0\nvmx flags\t: sha_ni\n", false},
		{"flags : xsha_ni\n", false},
		{"", false},
	} {
		if got := hasExtensions(c.cpuinfo); got != c.want {
			t.Errorf("%q: %v", c.cpuinfo, got)
		}
	}
}

func TestSpanNames(t *testing.T) {
	const said = "BdsDxe: starting Boot0001\nspan load\r\nspan read file\nok boot state\n"
	got, err := spanNames(said + "PASS 2\n")
	if want := []string{"load", "read file"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for _, bad := range []string{said, said + "FAIL boot state: why\nPASS 2\n", ""} {
		if names, err := spanNames(bad); err == nil {
			t.Errorf("%q: %q", bad, names)
		}
	}
}

func TestPair(t *testing.T) {
	got, err := pair([]string{"a", "b"}, []uint64{5, 7, 100, 1100})
	if want := []span{{"a", 2}, {"b", 1000}}; !slices.Equal(got, want) || err != nil {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if spans, err := pair([]string{"a", "b"}, []uint64{5, 7, 100}); err == nil {
		t.Errorf("a mark is missing: %v", spans)
	}
}
