package image

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// memory records what was written.
type memory struct {
	b       []byte
	written int
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.written += len(p)
	return copy(m.b[off:], p), nil
}

func TestSparseWriter(t *testing.T) {
	const size = 10 * sparseBlock
	content := make([]byte, size)
	for _, at := range []int{0, 1, sparseBlock, 3*sparseBlock - 1, 3 * sparseBlock, 7*sparseBlock + 5, size - 1} {
		content[at] = 0xff
	}
	for _, chunk := range []int{size, sparseBlock, 1000, 1} {
		m := &memory{b: make([]byte, size+100)}
		counted := 0
		w := sparseWriter{ctx: t.Context(), w: m, written: func(n int) { counted += n }}
		for at := 0; at < size; at += chunk {
			p := content[at:min(at+chunk, size)]
			if n, err := w.WriteAt(p, int64(at)+100); n != len(p) || err != nil {
				t.Fatalf("WriteAt: %d, %v", n, err)
			}
		}
		if !bytes.Equal(m.b[100:], content) {
			t.Errorf("chunks of %d: content differs", chunk)
		}
		if counted != size {
			t.Errorf("chunks of %d: %d bytes are reported, want %d", chunk, counted, size)
		}
		if m.written > 7*sparseBlock {
			t.Errorf("chunks of %d: %d bytes were written", chunk, m.written)
		}
	}
}

func TestSparseWriterStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := &memory{b: make([]byte, 10)}
	w := sparseWriter{ctx: ctx, w: m, written: func(int) {}}
	if _, err := w.WriteAt([]byte("x"), 0); !errors.Is(err, context.Canceled) || m.written > 0 {
		t.Errorf("WriteAt: %v, %d bytes written", err, m.written)
	}
}
