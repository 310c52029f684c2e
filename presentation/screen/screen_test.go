package screen

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/presentation/picture"
)

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		busy  string // cannot be opened
		want  string
	}{
		"a card before its frame buffer": {[]string{"dri/card0", "fb0"}, "", "dri/card0"},
		"the second card":                {[]string{"dri/card0", "dri/card1"}, "card0", "dri/card1"},
		"a frame buffer":                 {[]string{"fb0"}, "", "fb0"},
		"a card that is in use":          {[]string{"dri/card0", "fb0"}, "card0", "busy"},
		"nothing":                        {nil, "", "neither a card"},
	} {
		t.Run(name, func(t *testing.T) {
			dev := t.TempDir()
			for _, f := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dev, f)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dev, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			opened := ""
			open := func(path string) (Screen, error) {
				if c.busy != "" && strings.HasSuffix(path, c.busy) {
					return nil, errors.New("busy")
				}
				opened = strings.TrimPrefix(path, dev+"/")
				return &picture.Sink{}, nil
			}
			_, err := find(dev, open, open)
			if err != nil {
				opened = err.Error()
			}
			if !strings.Contains(opened, c.want) || (len(c.files) == 0) != errors.Is(err, ErrNone) {
				t.Errorf("got %q, want %q", opened, c.want)
			}
		})
	}
}
