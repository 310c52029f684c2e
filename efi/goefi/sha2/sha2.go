// Package sha2 digests with the processor's SHA extensions in programs that run without AVX, as all do under package goefi.
// crypto/sha256 uses the extensions only where the operating system has turned AVX on, since it writes some of the moves around
// them with AVX encodings; without, it needs 33 times the instructions (`just bench-state`). Here only SSE registers are used,
// which goefi saves.
//
// Specification: FIPS 180-4 §6.2; Intel SDM volume 1 §5.17.
package sha2

import (
	"crypto/sha256"
	"encoding/binary"
)

// extensions says whether the processor has what digestBlocks needs.
var extensions = hasExtensions()

// Extensions reports whether Sum256 uses the processor's SHA extensions.
func Extensions() bool { return extensions }

// Sum256 is the SHA-256 of data. Without the extensions it is what crypto/sha256 computes.
func Sum256(data []byte) [sha256.Size]byte {
	if !extensions {
		return sha256.Sum256(data)
	}
	return sum(data)
}

// initial is the state before the first block (FIPS 180-4 §5.3.3).
var initial = [8]uint32{
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

func sum(data []byte) (digest [sha256.Size]byte) {
	state := initial
	whole := len(data) - len(data)%sha256.BlockSize
	digestBlocks(&state, data[:whole])
	// The padding is a bit, zeros, and the length in bits at the end of a block (FIPS 180-4 §5.1.1).
	var last [2 * sha256.BlockSize]byte
	n := copy(last[:], data[whole:])
	last[n] = 0x80
	end := sha256.BlockSize
	if n+1+8 > end {
		end *= 2
	}
	binary.BigEndian.PutUint64(last[end-8:], uint64(len(data))*8)
	digestBlocks(&state, last[:end])
	for i, word := range state {
		binary.BigEndian.PutUint32(digest[4*i:], word)
	}
	return digest
}
