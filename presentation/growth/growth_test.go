package growth

import (
	"os"
	"runtime"
	"testing"
)

// failing is a test that notes that it was ended.
type failing struct {
	testing.TB
	ended bool
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(string, ...any) {
	f.ended = true
	runtime.Goexit()
}

var kept [][]byte

// TestGrows leaks one thing in each step, and sees it told; without a leak nothing is.
func TestGrows(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for name, leak := range map[string]func(){
		"":           func() {},
		"memory":     func() { kept = append(kept, make([]byte, 64<<10)) },
		"goroutines": func() { go func() { <-stop }() },
		"descriptors": func() {
			f, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		},
	} {
		f := &failing{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			var w Watch
			for range 2 * Every {
				leak()
				w.Step(f)
			}
		}()
		<-done
		if f.ended != (name != "") {
			t.Errorf("leak of %q: told %v", name, f.ended)
		}
		kept = nil
	}
}
