package shell

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// completer completes the word in front of the cursor.
type completer struct {
	ask  asking        // asks commands; nil if none can be asked
	path string        // as in PATH: where commands are
	dir  func() string // where the shell is
}

// complete returns the line with the word in front of pos completed as far as it is
// clear, where the cursor is then, and all words that it may become.
func (c completer) complete(line string, pos int) (newLine string, newPos int, words []string) {
	start := strings.LastIndexAny(line[:pos], " \t;|&") + 1
	word := line[start:pos]
	words = c.candidates(commandOf(line[:start]), word)
	if len(words) == 0 {
		return line, pos, nil
	}
	done := commonPrefix(words)
	if len(words) == 1 && !strings.HasSuffix(done, "/") {
		done += " "
	}
	return line[:start] + done + line[pos:], start + len(done), words
}

// commandOf returns the words of the command that the line ends with.
func commandOf(line string) []string {
	return strings.Fields(line[strings.LastIndexAny(line, ";|&")+1:])
}

// candidates returns what a word can be that stands behind others.
func (c completer) candidates(before []string, word string) []string {
	switch {
	case len(before) == 0 && !strings.Contains(word, "/"):
		return startingWith(c.commands(), word)
	case len(before) > 0 && c.ask != nil:
		words, files := c.ask(append(before, word))
		if words = startingWith(words, word); len(words) > 0 || !files {
			return words
		}
	}
	return c.files(word)
}

// commands returns the names of all commands.
func (c completer) commands() (names []string) {
	for _, dir := range filepath.SplitList(c.path) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // a folder of PATH need not be there
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// files returns the paths of files that begin with the word.
func (c completer) files(word string) (paths []string) {
	dir, base := filepath.Split(word)
	real := dir
	if !filepath.IsAbs(dir) {
		real = filepath.Join(c.dir(), dir)
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return nil // nothing is there to be completed
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || base == "" && strings.HasPrefix(e.Name(), ".") || strings.ContainsAny(e.Name(), " \t;|&") {
			continue
		}
		path := dir + e.Name()
		if info, err := os.Stat(filepath.Join(real, e.Name())); err == nil && info.IsDir() {
			path += "/"
		}
		paths = append(paths, path)
	}
	return paths
}

func startingWith(all []string, prefix string) (some []string) {
	for _, s := range all {
		if strings.HasPrefix(s, prefix) {
			some = append(some, s)
		}
	}
	return some
}

// commonPrefix returns what all words, at least one, begin with.
func commonPrefix(words []string) string {
	prefix := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

// maxShown is how many words are shown to choose from.
const maxShown = 64

// list is the words in columns.
func list(words []string) string {
	if len(words) > maxShown {
		words = append(slices.Clone(words[:maxShown]), "...")
	}
	for i, w := range words {
		if end := strings.LastIndexByte(strings.TrimSuffix(w, "/"), '/'); end >= 0 {
			words[i] = w[end+1:] // the folder is on the line already
		}
	}
	return strings.Join(words, "  ") + "\n"
}
