// Package systemtest makes what looks like the RayOS System partition, for tests. Real ones are in ovmf-tests.
package systemtest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/rayos/rayboot/guest/system"
)

// Squashfs is what looks like a squashfs of 5000 bytes with QEMU 1:10.0.2, and its description behind it.
func Squashfs(t testing.TB) []byte {
	t.Helper()
	b := bytes.Repeat([]byte("QEMU"), 2048)
	copy(b, "hsqs")
	binary.LittleEndian.PutUint16(b[28:], 4)
	binary.LittleEndian.PutUint64(b[40:], 5000)
	a, err := system.Describe(bytes.NewReader(b), "1:10.0.2")
	if err != nil {
		t.Fatal(err)
	}
	block, err := system.Encode(a)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, block...)
}
