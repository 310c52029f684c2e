package raylog

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt/slots"
)

// TestDocumentedOffsets compares docs/on-disk.md with the code.
func TestDocumentedOffsets(t *testing.T) {
	doc, err := os.ReadFile("../docs/on-disk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n## Persistent log\n")
	var named []string
	for l := Trace; l <= Fatal; l++ {
		named = append(named, fmt.Sprint(int(l), " ", l))
	}
	for _, row := range []string{
		fmt.Sprintf("places of %d bytes, %d of them", RecordBytes, slots.LogBytes/RecordBytes),
		fmt.Sprintf("major version %d, minor version %d:", versionMajor, versionMinor),
		fmt.Sprintf("| 0 | %d | magic `%s` |", len(magic), magic),
		fmt.Sprintf("| %d | 1 | major version", offMajor),
		fmt.Sprintf("| %d | 1 | minor version", offMinor),
		fmt.Sprintf("| %d | 1 | level: %s |", offLevel, strings.Join(named, ", ")),
		fmt.Sprintf("| %d | 1 | flags. %d: the log was cleared here", offFlags, flagClears),
		fmt.Sprintf("; %d: the message was longer |", flagCut),
		fmt.Sprintf("| %d | %d | CRC-32", offChecksum, len(noChecksum)),
		fmt.Sprintf("| %d | %d | ahead", offAhead, offLength-offAhead),
		fmt.Sprintf("| %d | %d | length of the message, 0 to %d |", offLength, offSequence-offLength, MaxMessage),
		fmt.Sprintf("| %d | %d | sequence number", offSequence, offLog-offSequence),
		fmt.Sprintf("| %d | %d | log ID", offLog, len(LogID{})),
		fmt.Sprintf("| %d | %d | boot ID", offBoot, len(BootID{})),
		fmt.Sprintf("| %d | %d | milliseconds since the start", offUptime, offWall-offUptime),
		fmt.Sprintf("| %d | %d | time in milliseconds", offWall, offEpoch-offWall),
		fmt.Sprintf("| %d | %d | epoch", offEpoch, offSource-offEpoch),
		fmt.Sprintf("| %d | %d | source", offSource, MaxSource),
		fmt.Sprintf("| %d | %d | message", offMessage, MaxMessage),
		fmt.Sprintf("nothing behind *s* + %d is written", lookAhead),
		fmt.Sprintf("ahead is %d at most", MaxGroup),
	} {
		if !strings.Contains(section, row) {
			t.Errorf("docs/on-disk.md does not say %q", row)
		}
	}
}
