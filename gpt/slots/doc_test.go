package slots

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
)

// TestDocumentedOffsets compares docs/on-disk.md with the code.
func TestDocumentedOffsets(t *testing.T) {
	doc, err := os.ReadFile("../../docs/on-disk.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{
		fmt.Sprintf("| %d | %d | slot table, copy A |", CopyAOffset, CopyBytes),
		fmt.Sprintf("| %d | %d | slot table, copy B |", CopyBOffset, CopyBytes),
		fmt.Sprintf("| %d | %d | [persistent log](#persistent-log) |", LogOffset, LogBytes),
		fmt.Sprintf("| %d + n · %d | %d | image area of slot n, 0 to %d |", ImageOffset, ImageBytes, ImageBytes, MaxSlots-1),
		fmt.Sprintf("major version %d, minor version %d.", versionMajor, versionMinor),
		fmt.Sprintf("| 0 | %d | magic `%s` |", len(magic), magic),
		fmt.Sprintf("| %d | 2 | major version", offMajor),
		fmt.Sprintf("| %d | 2 | minor version", offMinor),
		fmt.Sprintf("| %d | 4 | CRC-32", offCRC),
		fmt.Sprintf("| %d | 8 | sequence number", offSequence),
		fmt.Sprintf("| %d | %d | zero |", offSequence+8, offSlots-offSequence-8),
		fmt.Sprintf("| %d + n · %d | %d | slot n, 0 to %d |", offSlots, slotBytes, slotBytes, MaxSlots-1),
		fmt.Sprintf("| %d | %d | zero |", offSlots+MaxSlots*slotBytes, CopyBytes-offSlots-MaxSlots*slotBytes),
		fmt.Sprintf("| %d | %d | entry ID", offID, MaxID),
		fmt.Sprintf("| %d | %d | title |", offTitle, MaxTitle),
		fmt.Sprintf("| %d | %d | kernel:", offKernel, imageBytes),
		fmt.Sprintf("| %d | %d | initrd:", offInitrd, imageBytes),
		fmt.Sprintf("| %d | %d | zero |", offInitrd+imageBytes, offOptions-offInitrd-imageBytes),
		fmt.Sprintf("| %d | %d | command line |", offOptions, MaxOptions),
	}
	units := map[int64]string{400 * gpt.MiB: "400 MiB", 4 * gpt.GiB: "4 GiB", 16 * gpt.GiB: "16 GiB", 20 * gpt.GiB: "20 GiB", 30 * gpt.GiB: "30 GiB"}
	for _, p := range gpt.Layout() {
		rows = append(rows, fmt.Sprintf("| %d | %s | %d | %s | %d | %d | `%s` |",
			p.Number, p.Name, p.StartBytes, units[p.SizeBytes], p.StartBytes/512, p.StartBytes/4096, p.Type))
	}
	for _, row := range rows {
		if !strings.Contains(string(doc), row) {
			t.Errorf("docs/on-disk.md does not say %q", row)
		}
	}
}
