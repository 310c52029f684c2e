package record

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// section is what docs/on-disk.md says about the record.
func section(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/on-disk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(doc), "\n## Boot-state record\n")
	if !ok {
		t.Fatal("docs/on-disk.md has no section about the boot-state record")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// documented is a field as the document has it. Its set fills it with bytes that
// are not those of the base record.
type documented struct {
	at, size int
	content  string
	set      func(*Record)
}

// base is a record in which only little is filled in.
func base() Record {
	return Record{
		Open:    Attempt{Kind: EntryAttempt},
		Entries: []Entry{{Key: "k"}},
		Events:  []Event{{Kind: EntryFailed}},
	}
}

var (
	long   = strings.Repeat("x", MaxKey)
	number = ^uint64(0)
	filled = golden.Digest([]byte(strings.Repeat("y", 32)))
)

var documentedFields = []documented{
	{16, 8, "sequence number |", func(r *Record) { r.Sequence = number }},
	{24, 36, "install ID:", func(r *Record) { r.InstallID = installID }},
	{60, 4, "number of the next event |", func(r *Record) { r.NextEvent = uint32(number) }},
	{64, 1, "entries disabled since", func(r *Record) { r.Disablings = 1 }},
	{65, 1, "why the machine is to be recovered", func(r *Record) { r.Recovery = markers.RecoverOperator }},
	{66, 1, "starts of golden snapshots", func(r *Record) { r.RecoveryAttempts = 1 }},
	{67, 1, "step of the hardware watchdog's time-out, 0 to 3 |", func(r *Record) { r.Backoff = 3 }},
	{80, 1, "1: of an entry, 2: of a golden snapshot |", func(r *Record) { r.Open.Kind = GoldenAttempt }},
	{81, 1, "how far it has come", func(r *Record) { r.Open.Stage = StageStart }},
	{82, 1, "why it has failed", func(r *Record) { r.Open.Cause = markers.CauseService }},
	{88, 8, "nonce:", func(r *Record) { r.Open.Nonce = Nonce([]byte("nonsense")) }},
	{96, 32, "ID of the golden snapshot", func(r *Record) { r.Open.Snapshot = filled }},
	{128, 64, "key of the entry, or empty |", func(r *Record) { r.Open.Entry = long }},
	{192, 64, "key of the entry that an operator made the default", func(r *Record) { r.Default = long }},
	{256, 64, "key of the entry that an operator asked for once", func(r *Record) { r.OneShot = long }},
}

var documentedEntry = []documented{
	{0, 64, "key |", func(r *Record) { r.Entries[0].Key = long }},
	{64, 1, "failures since it was last good |", func(r *Record) { r.Entries[0].Failures = 1 }},
	{65, 1, "1: disabled", func(r *Record) { r.Entries[0].Disabled = true }},
	{66, 1, "stage of the last failure |", func(r *Record) { r.Entries[0].Stage = StageRead }},
	{67, 1, "cause of the last failure |", func(r *Record) { r.Entries[0].Cause = markers.CauseCrash }},
	{68, 1, "failures in a row at that stage |", func(r *Record) { r.Entries[0].Repeats = 1 }},
	{72, 16, "what it was when it failed", func(r *Record) { r.Entries[0].Content = Content([]byte("0123456789abcdef")) }},
}

var documentedEvent = []documented{
	{0, 4, "number;", func(r *Record) { r.Events[0].Number = uint32(number) }},
	{4, 1, "kind |", func(r *Record) { r.Events[0].Kind = Stopped }},
	{5, 1, "stage |", func(r *Record) { r.Events[0].Stage = StageRead }},
	{6, 1, "cause |", func(r *Record) { r.Events[0].Cause = markers.CauseCrash }},
	{7, 1, "reason |", func(r *Record) { r.Events[0].Reason = markers.RecoverOperator }},
	{8, 16, "what it is about", func(r *Record) { r.Events[0].Subject = long[:maxSubject] }},
}

// TestDocumentedFields encodes records that differ in one field, and compares
// where they differ with docs/on-disk.md.
func TestDocumentedFields(t *testing.T) {
	text := section(t)
	for _, part := range []struct {
		offset int
		fields []documented
	}{{0, documentedFields}, {offEntries, documentedEntry}, {offEvents, documentedEvent}} {
		for _, f := range part.fields {
			row := fmt.Sprintf("| %d | %d | %s", f.at, f.size, f.content)
			if !strings.Contains(text, "\n"+row) {
				t.Errorf("docs/on-disk.md does not say %q", row)
			}
			first, last := difference(t, f.set)
			if want := part.offset + f.at; first != want || last != want+f.size-1 {
				t.Errorf("%s: bytes %d to %d change, documented are %d to %d", f.content, first, last, want, want+f.size-1)
			}
		}
	}
}

// difference is the first and the last byte that change in a record. The
// checksum always does.
func difference(t *testing.T, set func(*Record)) (first, last int) {
	t.Helper()
	plain, changed := base(), base()
	set(&changed)
	a, err := Encode(plain)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Encode(changed)
	if err != nil {
		t.Fatal(err)
	}
	first = -1
	for i := range a {
		if a[i] == b[i] || i >= offChecksum && i < offSequence {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	return first, last
}

// TestDocumentedLayout compares the rest of the tables.
func TestDocumentedLayout(t *testing.T) {
	text := section(t)
	for _, row := range []string{
		fmt.Sprintf("of %d bytes: copy A at byte 0, copy B at byte %d.", FileBytes, CopyBytes),
		fmt.Sprintf("major version %d, minor version %d.", major, minor),
		fmt.Sprintf("| 0 | %d | magic `%s` |", len(magic), magic),
		fmt.Sprintf("| %d | 2 | major version", offVersion),
		fmt.Sprintf("| %d | 2 | minor version", offVersion+2),
		fmt.Sprintf("| %d | 4 | CRC-32 (IEEE 802.3) of all %d bytes", offChecksum, CopyBytes),
		fmt.Sprintf("| %d | 1 | count of entries, 0 to %d |", offCounts+8, MaxEntries),
		fmt.Sprintf("| %d | 1 | count of events, 0 to %d |", offCounts+9, MaxEvents),
		fmt.Sprintf("| %d | %d | zero |", offCounts+10, offOpen-offCounts-10),
		fmt.Sprintf("| %d | %d | open attempt |", offOpen, offDefault-offOpen),
		fmt.Sprintf("| %d | 5 | zero |", offOpen+3),
		fmt.Sprintf("| %d + n · %d | %d | entry n", offEntries, entryBytes, entryBytes),
		fmt.Sprintf("| %d + n · %d | %d | event n", offEvents, eventBytes, eventBytes),
		fmt.Sprintf("| %d | %d | zero |", offEnd, CopyBytes-offEnd),
		fmt.Sprintf("longer than %d\nbytes", MaxKey),
		"| stage | " + numbered(stageNames()) + " |",
		"| cause | " + numbered(names(markers.FailureCauses())) + " |",
		"| reason | " + numbered(names(markers.RecoveryReasons())) + " |",
		"| kind | " + numbered(eventKinds[1:]) + " |",
	} {
		if !strings.Contains(text, row) {
			t.Errorf("docs/on-disk.md does not say %q", row)
		}
	}
}

func names[T ~string](values []T) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

func stageNames() (all []string) {
	for s := NoStage + 1; s <= lastStage; s++ {
		all = append(all, s.String())
	}
	return all
}

// numbered is a list as the document has it.
func numbered(list []string) string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = fmt.Sprintf("%d `%s`", i+1, list[i])
	}
	return strings.Join(list, ", ")
}
