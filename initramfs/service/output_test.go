package service

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestOutput(t *testing.T) {
	var lines []string
	clock := &steps{}
	o := newOutput(clock, func(line string) { lines = append(lines, line) })
	for _, piece := range []string{"one\r\n\n  \ntw", "o", "\nth\xffree\n", strings.Repeat("x", 2*maxLine+1), "\nend"} {
		if n, err := fmt.Fprint(o, piece); n != len(piece) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	o.Close()
	long := strings.Repeat("x", maxLine)
	if want := []string{"one", "two", "th\uFFFDree", long, long, "x", "end"}; !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}

func TestOutputWithoutEnd(t *testing.T) {
	var lines []string
	clock := &steps{}
	o := newOutput(clock, func(line string) { lines = append(lines, line) })
	fmt.Fprint(o, strings.Repeat("x\n", maxLines+7))
	if len(lines) != maxLines {
		t.Errorf("%d lines", len(lines))
	}
	clock.now += linesWithin
	fmt.Fprint(o, "y\n")
	if want := []string{"7 lines are left out: more than 1000 in 30s", "y"}; !slices.Equal(lines[maxLines:], want) {
		t.Errorf("%q", lines[maxLines:])
	}
}

func FuzzOutput(f *testing.F) {
	f.Add("a\nb", "c\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		total := 0
		o := newOutput(&steps{}, func(line string) {
			total += len(line)
			if len(line) > 3*maxLine || strings.Contains(line, "\n") {
				t.Errorf("%q", line)
			}
		})
		fmt.Fprint(o, a)
		fmt.Fprint(o, b)
		o.Close()
		if total > 3*(len(a)+len(b)) {
			t.Errorf("%d bytes of %d", total, len(a)+len(b))
		}
	})
}
