package service

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const definition = `# an agent
program	/bin/agent --listen 80

after    network  disk
after    clock
restart  always
restarts 3
within   60
critical yes
stop     10
beat     20
env      A=b c
dir      /root
memory   64M
processes 5
cpu      50
files    100
`

func TestParse(t *testing.T) {
	d, err := Parse("agent", strings.NewReader(definition))
	want := Definition{
		Name: "agent", Program: []string{"/bin/agent", "--listen", "80"}, After: []string{"network", "disk", "clock"},
		Restart: Always, Restarts: 3, Within: time.Minute, Critical: true, Stop: 10 * time.Second, Beat: 20 * time.Second,
		Env: []string{"A=b c"}, Dir: "/root", Limits: Limits{64 << 20, 5, 50, 100},
	}
	if err != nil || !reflect.DeepEqual(d, want) {
		t.Errorf("%+v, %v", d, err)
	}
	s := d.Spec()
	if s.Limit != (Limit{3, time.Minute}) || s.Process.Path != "/bin/agent" || len(s.Process.Args) != 2 || s.Process.Env[3] != "A=b c" {
		t.Errorf("%+v, %+v", s, s.Process)
	}
	for text, says := range map[string]string{
		"":                               `service x: "" is no absolute path`,
		"program":                        "line 1: program: has no value",
		"program sh":                     `"sh" is no absolute path`,
		"program /a\nrestart often":      `no policy "often"`,
		"\nprograms /a":                  "line 2: programs: there is no such key",
		"program /a\ncritical true":      `is yes or no, not "true"`,
		"program /a\nstop -1":            "whole seconds",
		"program /a\nmemory 64X":         `"64X" is no size`,
		"program /a\nmemory 9999999999G": "is no size",
		"program /a\nfiles x":            "line 2: files",
		strings.Repeat("#\n", 40000):     "more than 65536 bytes",
		strings.Repeat("#", 70000):       "read its definition",
	} {
		if _, err := Parse("x", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want %q", text, err, says)
		}
	}
}

func TestOrdered(t *testing.T) {
	names := func(all []Definition) (text string) {
		for _, d := range all {
			text += d.Name
		}
		return text
	}
	all := []Definition{{Name: "a", After: []string{"c"}}, {Name: "b"}, {Name: "c", After: []string{"b"}}, {Name: "d"}}
	if sorted, err := Ordered(all); names(sorted) != "bcda" || err != nil {
		t.Errorf("%s, %v", names(sorted), err)
	}
	all = append(all, Definition{Name: "e", After: []string{"f"}}, Definition{Name: "f", After: []string{"e"}}, Definition{Name: "g", After: []string{"gone"}})
	sorted, err := Ordered(all)
	if names(sorted) != "bcda" || err == nil || strings.Count(err.Error(), "is not started") != 3 {
		t.Errorf("%s, %v", names(sorted), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(definition)
	f.Add("memory K")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse("x", strings.NewReader(text))
		if err == nil && (len(d.Program) == 0 || d.Limits.MemoryBytes < 0 || d.Stop < 0) {
			t.Errorf("%+v", d)
		}
	})
}
