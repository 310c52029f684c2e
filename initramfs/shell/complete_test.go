package shell

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testAsk answers for bootmgr as cobra does.
func testAsk(words []string) ([]string, bool) {
	switch {
	case words[0] != "bootmgr":
		return nil, true
	case len(words) == 2 && words[1] == "--":
		return []string{"--help", "--json"}, false
	case len(words) == 2:
		return []string{"list", "set-default", "set-oneshot", "status"}, false
	}
	return nil, words[1] == "list"
}

// place is a folder with files, and with a folder of commands.
func place(t *testing.T) completer {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bin/bootmgr", "bin/reboot", "bin/recovery", "etc/host name", "etc/hosts", "etc/hostname", "etc/.hidden"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return completer{ask: testAsk, path: filepath.Join(dir, "none") + ":" + filepath.Join(dir, "bin"), dir: func() string { return dir }}
}

// TestComplete writes the cursor as ^.
func TestComplete(t *testing.T) {
	c := place(t)
	for _, k := range []struct{ line, want, words string }{
		{"boo^", "bootmgr ^", "bootmgr"},
		{"re^", "re^", "reboot recovery"},
		{"nothing^", "nothing^", ""},
		{"^", "^", "bootmgr reboot recovery"},
		{"bootmgr s^", "bootmgr s^", "set-default set-oneshot status"},
		{"bootmgr set-^", "bootmgr set-^", "set-default set-oneshot"},
		{"bootmgr set-o^", "bootmgr set-oneshot ^", "set-oneshot"},
		{"bootmgr li^ --json", "bootmgr list ^ --json", "list"},
		{"bootmgr --^", "bootmgr --^", "--help --json"},
		{"bootmgr status e^", "bootmgr status e^", ""},
		{"bootmgr list e^", "bootmgr list etc/^", "etc/"},
		{"ls etc/ho^", "ls etc/host^", "etc/hostname etc/hosts"},
		{"ls etc/hostn^", "ls etc/hostname ^", "etc/hostname"},
		{"ls etc/^", "ls etc/host^", "etc/hostname etc/hosts"},
		{"ls; rebo^", "ls; reboot ^", "reboot"},
		{"ls | bootmgr l^", "ls | bootmgr list ^", "list"},
		{"ls nowhere/x^", "ls nowhere/x^", ""},
		{"./b^", "./bin/^", "./bin/"},
		{"ls " + c.dir() + "/et^", "ls " + c.dir() + "/etc/^", c.dir() + "/etc/"},
	} {
		pos := strings.IndexByte(k.line, '^')
		line, at, words := c.complete(strings.Replace(k.line, "^", "", 1), pos)
		if got := line[:at] + "^" + line[at:]; got != k.want || !slices.Equal(words, strings.Fields(k.words)) {
			t.Errorf("%q: %q, %q; want %q, %q", k.line, got, words, k.want, k.words)
		}
	}
}

func TestList(t *testing.T) {
	if got := list([]string{"etc/hosts", "etc/ssl/", "plain"}); got != "hosts  ssl/  plain\n" {
		t.Errorf("got %q", got)
	}
	if got := list(make([]string, 1000)); strings.Count(got, "  ") != maxShown || !strings.HasSuffix(got, "...\n") {
		t.Errorf("got %q", got)
	}
}

func TestParseAnswer(t *testing.T) {
	for answer, want := range map[string]struct {
		words string
		files bool
	}{
		"list\nstatus\n:4\n": {"list status", false},
		":0\n":               {"", true},
		"x\n:1\n":            {"", false},
		"no directive\n":     {"", false},
		"":                   {"", false},
		":many\n":            {"", false},
	} {
		if words, files := parseAnswer(answer); !slices.Equal(words, strings.Fields(want.words)) || files != want.files {
			t.Errorf("%q: %q, files %v", answer, words, files)
		}
	}
}

// TestAskCommand asks real programs: one that answers, one that is not there, and one
// that must not be asked.
func TestAskCommand(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$#-$1-$3\"; echo :4\n"
	if err := os.WriteFile(filepath.Join(dir, "cobra"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin")
	ask := askCommand(func(name string) bool { return name != "ls" })
	for line, want := range map[string]struct {
		words string
		files bool
	}{
		"cobra show ": {"3-" + completeVerb + "-", false},
		"missing x":   {"", false},
		"ls x":        {"", true},
	} {
		words, files := ask(strings.Split(line, " "))
		if !slices.Equal(words, strings.Fields(want.words)) || files != want.files {
			t.Errorf("%q: %q, files %v", line, words, files)
		}
	}
}

// TestTab has a person press Tab.
func TestTab(t *testing.T) {
	s := startShell(t, false)
	s.Expect(prompt)
	s.Type("bootmgr s\t")
	s.Expect("set-default  set-oneshot  status\r\n")
	s.Type("et-o\t")
	s.Expect("bootmgr set-oneshot ")
	s.Type("\x03")
	s.Expect(prompt)
	s.Type("exit\n")
}

func FuzzComplete(f *testing.F) {
	f.Add("bootmgr s", 9)
	f.Add("ls etc/ho; x", 9)
	f.Fuzz(func(t *testing.T, line string, pos int) {
		if pos < 0 || pos > len(line) {
			t.Skip("no place in the line")
		}
		newLine, newPos, _ := completer{ask: testAsk, path: "/nowhere", dir: os.TempDir}.complete(line, pos)
		if newPos < 0 || newPos > len(newLine) || !strings.HasSuffix(newLine, line[pos:]) {
			t.Errorf("%q at %d: %q at %d", line, pos, newLine, newPos)
		}
	})
}
