package esp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestParseLoaderConf(t *testing.T) {
	tests := []struct {
		name, data string
		want       LoaderConf
		problems   []string // each must contain this
	}{
		{"empty", "", LoaderConf{}, nil},
		{
			"usual", "# RayOS\ntimeout 5\ndefault rayos.conf\n\neditor no\nconsole-mode max\n",
			LoaderConf{Menu: MenuTimeout, TimeoutSeconds: 5, Default: "rayos.conf", NoEditor: true, ConsoleMode: "max"},
			nil,
		},
		{
			"CR LF, tabs, byte order mark, no last line end", "\ufefftimeout\t  5\r\n  default\tRayOS-*  \r\neditor yes",
			LoaderConf{Menu: MenuTimeout, TimeoutSeconds: 5, Default: "rayos-*"},
			nil,
		},
		{"menu-force", "timeout menu-force\n", LoaderConf{Menu: MenuForce}, nil},
		{"menu-hidden", "timeout menu-hidden\n", LoaderConf{Menu: MenuHidden}, nil},
		{"menu-disabled", "timeout 7\ntimeout menu-disabled\n", LoaderConf{Menu: MenuDisabled}, nil},
		{"last line counts", "timeout menu-force\ntimeout 0\n", LoaderConf{Menu: MenuTimeout}, nil},
		{
			"timeout too long", "timeout 99999999999999999999\n",
			LoaderConf{Menu: MenuTimeout, TimeoutSeconds: MaxTimeoutSeconds},
			[]string{"line 1: timeout is longer than 65535 s; that is taken instead"},
		},
		{"timeout negative", "timeout 3\ntimeout -1\n", LoaderConf{Menu: MenuTimeout, TimeoutSeconds: 3}, []string{`line 2: timeout "-1" is neither`}},
		{"timeout a word", "timeout never\n", LoaderConf{}, []string{"the line is ignored"}},
		{"saved", "default @saved\n", LoaderConf{}, []string{`default "@saved" is not supported; the first entry is the default`}},
		{"bad pattern", "default a[b\n", LoaderConf{}, []string{"unclosed ["}},
		{"pattern with an escape", "default a\x1b[2J\n", LoaderConf{}, []string{"no entry ID has"}},
		{"editor", "editor maybe\neditor off\n", LoaderConf{NoEditor: true}, []string{`"maybe" is neither yes nor no`}},
		{"console-mode", "console-mode 2\nconsole-mode big\n", LoaderConf{ConsoleMode: "2"}, []string{"console-mode \"big\" is neither"}},
		{"no value", "timeout\n", LoaderConf{}, []string{"timeout has no value"}},
		{"keys of systemd-boot", "random-seed-mode off\nauto-entries 1\nbeep yes\n", LoaderConf{}, nil},
		{"unknown key", "Timeout 5\ndefualt x\n", LoaderConf{}, []string{`unknown key "Timeout"`, `unknown key "defualt"`}},
		{"binary", "timeout 5\n\x00", LoaderConf{}, []string{"binary"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := ParseLoaderConf([]byte(tt.data))
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if len(problems) != len(tt.problems) {
				t.Fatalf("problems are %v, want %d", problems, len(tt.problems))
			}
			for i, p := range problems {
				if !strings.HasPrefix(p.Error(), "loader/loader.conf: ") || !strings.Contains(p.Error(), tt.problems[i]) {
					t.Errorf("problem is %q, want %q", p, tt.problems[i])
				}
			}
		})
	}
}

func TestParseLoaderConfBounds(t *testing.T) {
	_, problems := ParseLoaderConf(bytes.Repeat([]byte("x\n"), 1000))
	if n := len(problems); n != maxLineProblems+1 || !strings.Contains(problems[n-1].Error(), "more lines") {
		t.Errorf("%d problems, the last is %v", n, problems[n-1])
	}
	if _, problems := ParseLoaderConf(make([]byte, 1)); len(problems) != 1 || !errors.Is(problems[0], ErrNotText) {
		t.Errorf("problems are %v, want ErrNotText", problems)
	}
	conf, problems := ParseLoaderConf(append([]byte("timeout 5\n"), bytes.Repeat([]byte("#"), MaxConfBytes)...))
	if len(problems) != 1 || conf != (LoaderConf{}) {
		t.Errorf("too large: %+v, %v", conf, problems)
	}
}

func TestFormatLoaderConf(t *testing.T) {
	got, err := FormatLoaderConf(LoaderConf{Menu: MenuTimeout, TimeoutSeconds: 5, Default: "rayos.conf"})
	if want := "timeout 5\ndefault rayos.conf\n"; err != nil || string(got) != want {
		t.Errorf("FormatLoaderConf = %q, %v; want %q", got, err, want)
	}
	for _, c := range []LoaderConf{
		{Menu: MenuTimeout, TimeoutSeconds: -1},
		{Menu: MenuTimeout, TimeoutSeconds: MaxTimeoutSeconds + 1},
		{Menu: MenuForce, TimeoutSeconds: 5},
		{Menu: MenuDisabled + 1},
		{Default: "RayOS"},
		{Default: "a\neditor no"},
		{Default: "@saved"},
		{ConsoleMode: "big"},
	} {
		if got, err := FormatLoaderConf(c); err == nil {
			t.Errorf("FormatLoaderConf(%+v) = %q, want an error", c, got)
		}
	}
}

func FuzzParseLoaderConf(f *testing.F) {
	f.Add([]byte("timeout 5\r\ndefault rayos*\neditor 0\nconsole-mode auto\n"))
	f.Add([]byte("timeout menu-hidden\n#x\n\x00"))
	f.Add([]byte("default \xff\ntimeout 18446744073709551616"))
	f.Fuzz(func(t *testing.T, data []byte) {
		conf, problems := ParseLoaderConf(data)
		for _, p := range problems {
			if strings.ContainsFunc(p.Error(), isUnprintable) {
				t.Errorf("problem %q is not printable", p.Error())
			}
		}
		text, err := FormatLoaderConf(conf)
		if err != nil {
			t.Fatalf("%+v: %v", conf, err)
		}
		if again, problems := ParseLoaderConf(text); again != conf || problems != nil {
			t.Errorf("%+v written as %q is read as %+v, %v", conf, text, again, problems)
		}
	})
}
