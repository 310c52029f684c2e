package packet_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/initramfs/packet"
)

func TestAsk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "socket")
	if _, err := packet.Ask(path, []byte("?")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody there: %v", err)
	}
	for range 2 { // the second time over the socket of the first
		l, err := packet.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- l.Serve(bytes.ToUpper) }()
		for _, question := range []string{"one", "two"} {
			if answer, err := packet.Ask(path, []byte(question)); err != nil || !bytes.Equal(answer, bytes.ToUpper([]byte(question))) {
				t.Errorf("%s: %q, %v", question, answer, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Errorf("served until %v", err)
		}
	}
	if _, err := packet.Ask(path, []byte("?")); err == nil {
		t.Error("an answer of nobody")
	}
}

func TestListenWhereNothingCanBe(t *testing.T) {
	if _, err := packet.Listen(filepath.Join("/proc", "none", "socket")); err == nil {
		t.Error("it listens in /proc")
	}
}
