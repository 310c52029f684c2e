package main

import (
	"strconv"

	"github.com/rayos/rayboot/installer/layout"
)

// byteSize is a flag value such as 80GB (10^9), 100GiB (2^30) or 80000000000.
type byteSize int64

// Set implements pflag.Value.
func (s *byteSize) Set(text string) error {
	n, err := layout.ParseSize(text)
	if err == nil {
		*s = byteSize(n)
	}
	return err
}

// String prefers the largest unit that gives a whole number.
func (s byteSize) String() string {
	best, bestUnit := int64(s), "B"
	for _, u := range layout.Units[:len(layout.Units)-2] {
		if s != 0 && int64(s)%u.Bytes == 0 && int64(s)/u.Bytes < best {
			best, bestUnit = int64(s)/u.Bytes, u.Suffix
		}
	}
	return strconv.FormatInt(best, 10) + bestUnit
}

// Type implements pflag.Value.
func (s *byteSize) Type() string { return "size" }
