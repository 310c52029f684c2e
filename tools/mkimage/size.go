package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag value such as 80GB (10^9), 100GiB (2^30) or 80000000000.
type byteSize int64

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

// Set implements pflag.Value.
func (s *byteSize) Set(text string) error {
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.bytes {
			break
		}
		*s = byteSize(n * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is no size; write for example 80GB, 100GiB or 80000000000", text)
}

// String prefers the largest unit that gives a whole number.
func (s byteSize) String() string {
	best, bestUnit := int64(s), "B"
	for _, u := range sizeUnits[:len(sizeUnits)-2] {
		if s != 0 && int64(s)%u.bytes == 0 && int64(s)/u.bytes < best {
			best, bestUnit = int64(s)/u.bytes, u.suffix
		}
	}
	return strconv.FormatInt(best, 10) + bestUnit
}

// Type implements pflag.Value.
func (s *byteSize) Type() string { return "size" }
