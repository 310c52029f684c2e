package apt

import (
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// LastLines are the last five lines of what apt-get said.
func LastLines(text string) string {
	const n = 5
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Watch reports the bytes that have come into a folder, until stop is called and
// once more then.
func Watch(dir string, progress func(int64)) (stop func()) {
	const every = 200 * time.Millisecond
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				progress(size(dir))
			}
		}
	}()
	return func() { close(quit); <-done; progress(size(dir)) }
}

// size sums the files below dir; those that vanish meanwhile count nothing.
func size(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // renamed by apt-get just now
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}
