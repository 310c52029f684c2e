package timeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/rayos/rayboot/raylog"
)

// panicText is the line that says best why the kernel crashed.
type panicText struct {
	text     string
	uptimeMS int64 // -1: not known
	sequence uint64
	rank     int // 0: there is none
}

// hints are what the kernel writes into such lines, the best first.
var hints = []string{"Kernel panic", "BUG:", "general protection fault", "Oops:", "Call Trace"}

// read looks for a better line in a record.
func (p *panicText) read(r *raylog.Record) {
	for line := range strings.SplitSeq(r.Message, "\n") {
		text, uptimeMS := kernelLine(line)
		if text == "" {
			continue
		}
		rank := 1
		for i, words := range hints {
			if strings.Contains(text, words) {
				rank = len(hints) - i + 1
				break
			}
		}
		if rank > p.rank || rank == p.rank && r.Sequence < p.sequence {
			*p = panicText{text: shorten(text), uptimeMS: uptimeMS, sequence: r.Sequence, rank: rank}
		}
	}
}

// kernelLine takes level and time off a line of the kernel's log, as in
// <6>[    1.234567] text.
func kernelLine(line string) (text string, uptimeMS int64) {
	text = strings.TrimSpace(line)
	if level, rest, ok := strings.Cut(text, ">"); ok && len(level) == 2 && level[0] == '<' {
		text = strings.TrimSpace(rest)
	}
	if !strings.HasPrefix(text, "[") {
		return text, -1
	}
	number, rest, ok := strings.Cut(text[1:], "]")
	if !ok {
		return text, -1
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(seconds >= 0 && seconds < maxSeconds) {
		return text, -1
	}
	return strings.TrimSpace(rest), int64(seconds * 1000)
}

// maxSeconds is more than any machine is up.
const maxSeconds = float64(time.Duration(1<<63-1) / time.Second)
