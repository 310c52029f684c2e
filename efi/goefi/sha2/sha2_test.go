package sha2

import (
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"regexp"
	"testing"
)

// TestSum256 compares with crypto/sha256, for each length around the ends of blocks and each alignment of the data.
func TestSum256(t *testing.T) {
	if !Extensions() {
		t.Log("this processor has no SHA extensions: crypto/sha256 is compared with itself")
	}
	random := rand.NewChaCha8([32]byte{1})
	buffer := make([]byte, 1<<16+100)
	if _, err := random.Read(buffer); err != nil {
		t.Fatal(err)
	}
	check := func(data []byte) {
		t.Helper()
		if got, want := Sum256(data), sha256.Sum256(data); got != want {
			t.Fatalf("%d bytes: %x, want %x", len(data), got, want)
		}
	}
	check(nil)
	for length := range 300 {
		check(buffer[length%17:][:length])
	}
	check(buffer)
	check(buffer[1:])
}

func FuzzSum256(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("abc"))
	f.Add(make([]byte, 55))
	f.Add(make([]byte, 56))
	f.Add(make([]byte, 128))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := Sum256(data), sha256.Sum256(data); got != want {
			t.Errorf("%d bytes: %x, want %x", len(data), got, want)
		}
	})
}

// TestNoAVX looks for mnemonics of AVX, which all begin with V: they work on every Linux host, and fault under goefi.
func TestNoAVX(t *testing.T) {
	source, err := os.ReadFile("blocks_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^\s+V[A-Z]+\s.*`).FindAll(source, -1); found != nil {
		t.Errorf("blocks_amd64.s has %q", found)
	}
}
