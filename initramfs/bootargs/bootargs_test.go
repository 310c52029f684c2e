package bootargs_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/bootargs"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		cmdline string
		want    bootargs.Args
		skip    []string
		wrong   string // in the one problem; "" for none
	}{
		{cmdline: "", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}},
		{cmdline: "quiet rayos.safe panic=10\n", want: bootargs.Args{Safe: true, GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}},
		{cmdline: "rayos.golden_after=0 rayos.disk_wait=7", want: bootargs.Args{DiskWait: 7 * time.Second}},
		{cmdline: "rayos.golden_after=1 rayos.golden_after=2", want: bootargs.Args{GoldenAfter: 2 * time.Second, DiskWait: 10 * time.Second}},
		{cmdline: "rayos.skip=drm,,usb rayos.skip=shell:tty1", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}, skip: []string{"drm", "usb", "shell:tty1"}},
		{cmdline: `dyndbg="file x rayos.safe" -- rayos.safe`, want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}},
		{cmdline: "rayos.golden_after=soon", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}, wrong: "30 s is used"},
		{cmdline: "rayos.disk_wait=86401", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}, wrong: "0 to 86400"},
		{cmdline: "rayos.disk_wait=-1", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}, wrong: "rayos.disk_wait=-1"},
		{cmdline: "rayos.safe=0", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}, wrong: "safe mode is not on"},
		{cmdline: "rayos.goldenafter=3", want: bootargs.Args{GoldenAfter: 30 * time.Second, DiskWait: 10 * time.Second}, wrong: "rayos.golden_after"},
	} {
		got, problems := bootargs.Parse(c.cmdline)
		if got.Safe != c.want.Safe || got.GoldenAfter != c.want.GoldenAfter || got.DiskWait != c.want.DiskWait || !slices.Equal(got.Skip, c.skip) {
			t.Errorf("%q: got %+v, want %+v skip %q", c.cmdline, got, c.want, c.skip)
		}
		if c.wrong == "" && problems != nil || c.wrong != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.wrong)) {
			t.Errorf("%q: problems %q, want one with %q", c.cmdline, problems, c.wrong)
		}
	}
}

func TestHas(t *testing.T) {
	args, _ := bootargs.Parse(`quiet panic=10 "spaced name=1" -- debug`)
	got := map[string]bool{}
	for _, name := range []string{"quiet", "panic", "spaced name", "debug", "panic=10"} {
		got[name] = args.Has(name)
	}
	if want := map[string]bool{"quiet": true, "panic": true, "spaced name": true, "debug": false, "panic=10": false}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnTimeout(t *testing.T) {
	for cmdline, want := range map[string]string{"quiet": "", "rayos.watchdog_policy=halt quiet": "halt"} {
		if got, problems := bootargs.Parse(cmdline); got.OnTimeout != want || problems != nil {
			t.Errorf("%q: %q, %q", cmdline, got.OnTimeout, problems)
		}
	}
}

func TestModule(t *testing.T) {
	args, _ := bootargs.Parse(`watchdog.open_timeout=30 quiet i2c-i801.disable_features=0x10 watchdog.flag drm.edid_firmware="a b" watchdog. watchdog=1 -- watchdog.late=1`)
	for module, want := range map[string]string{
		"watchdog": "open_timeout=30 flag", "i2c_i801": "disable_features=0x10", "drm": `edid_firmware="a b"`, "vfat": "",
	} {
		if got := args.Module(module); got != want {
			t.Errorf("%s: %q, want %q", module, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`console=ttyS0 rayos.skip=a,b "x y" -- z`)
	f.Add(`rayos.golden_after=99999999999999999999`)
	f.Fuzz(func(t *testing.T, cmdline string) {
		args, _ := bootargs.Parse(cmdline)
		if day := 24 * time.Hour; args.GoldenAfter < 0 || args.GoldenAfter > day || args.DiskWait < 0 || args.DiskWait > day {
			t.Errorf("times out of range: %+v", args)
		}
		if slices.Contains(args.Skip, "") {
			t.Errorf("an empty name is skipped: %q", args.Skip)
		}
	})
}
