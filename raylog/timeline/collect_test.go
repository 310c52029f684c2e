package timeline_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/timeline"
)

// TestAnyOrder has the same records in another order, and twice.
func TestAnyOrder(t *testing.T) {
	for name, s := range map[string]*story{"recovery": recovery(), "hostile": hostile()} {
		want := boots(s)
		shuffled := slices.Clone(s.records)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := timeline.Boots(slices.Values(shuffled)); asJSON(t, got) != asJSON(t, want) {
			t.Errorf("%s: in another order\n%s", name, asJSON(t, got))
		}
		for i := range want {
			want[i].Records *= 2
		}
		twice := timeline.Boots(slices.Values(append(shuffled, s.records...)))
		if name != "hostile" && asJSON(t, twice) != asJSON(t, want) { // which has more problems than are kept
			t.Errorf("%s: twice\n%s", name, asJSON(t, twice))
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestManyBoots keeps the newest of too many.
func TestManyBoots(t *testing.T) {
	const count = 5*timeline.MaxBoots/2 + 7
	records := func(yield func(raylog.Record) bool) {
		for i := range count {
			r := raylog.Record{Sequence: uint64(i + 1), Entry: raylog.Entry{Source: "bootmgr", Boot: raylog.BootID{byte(i >> 8), byte(i)}}}
			if !yield(r) {
				return
			}
		}
	}
	all := timeline.Boots(records)
	if len(all) != timeline.MaxBoots || all[0].First != count-timeline.MaxBoots+1 || all[len(all)-1].Last != count || all[len(all)-1].Number != 0 {
		t.Errorf("%d boots from %+v", len(all), all[0])
	}
	last := timeline.Last("x", all, 3)
	if len(last.Boots) != 3 || last.Total != len(all) || last.Boots[0].Number != -2 {
		t.Errorf("%+v", last)
	}
	if n := len(timeline.Last("x", all, -1).Boots); n != 0 {
		t.Errorf("%d boots of none", n)
	}
}

// TestManyLines keeps the begin and the end of a boot that says too much.
func TestManyLines(t *testing.T) {
	s := &story{}
	s.power(1, 0)
	s.firmware(900, "rayos", markers.ReasonDefault)
	for i := range 5000 {
		s.emit("init", 1000+i, markers.WatchdogArmed{Device: "i6300esb", Seconds: 30, Reason: markers.ArmedCommand})
		s.say(raylog.Error, "init", 1000+i, fmt.Sprint("error ", i))
	}
	s.say(raylog.Fatal, "init", 9999, "the worst")
	s.good("rayos")
	b := boots(s)[0]
	if b.Reason != markers.ReasonDefault || b.Outcome != timeline.Good || !b.Watchdog.Taken {
		t.Errorf("%+v", b)
	}
	if len(b.Problems) != timeline.MaxProblems || b.Problems[0].Message != "the worst" || b.Problems[1].Message != "error 0" || b.MoreProblems != 4998 {
		t.Errorf("%+v and %d more", b.Problems, b.MoreProblems)
	}
}

// TestPanicAlone has the kernel's last words of a boot of which nothing else is left.
// It came before the boot that found them, not between that and the next.
func TestPanicAlone(t *testing.T) {
	s := &story{}
	s.power(2, 0)
	s.firmware(900, "rayos", markers.ReasonDefault)
	s.boot = raylog.BootID{1}
	s.say(raylog.Fatal, "pstore", 2000, "Oops#1 Part1\n<4>[    7.500000] general protection fault\n[nothing")
	s.power(2, 0)
	s.emit("init", 2500, markers.BootStageReached{Stage: markers.ShellReady, Seq: 3, Entry: "rayos"})
	s.power(3, 1)
	s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
	all := boots(s)
	if got, want := verdicts(all), "failed:panic,panic | failed:crash,failure | open"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if e := all[0].Events[0]; e.UptimeMS != 7500 || e.Text != "The kernel crashed: general protection fault" {
		t.Errorf("%+v", e)
	}
	checkPictures(t, timeline.Last("x", all, 9))
}

func FuzzBoots(f *testing.F) {
	for _, s := range []*story{recovery(), hostile()} {
		var b []byte
		for _, r := range s.records {
			b = append(b, r.Boot[0], byte(r.Sequence), byte(r.Level)|byte(slices.Index(fuzzSources, r.Source))<<4, byte(r.Uptime/time.Second), byte(len(r.Message)))
			b = append(b, r.Message[:min(len(r.Message), 255)]...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var records []raylog.Record
		for len(b) >= 5 {
			n := min(int(b[4]), len(b)-5)
			r := raylog.Record{Sequence: uint64(b[1]) + 1, Entry: raylog.Entry{
				Boot: raylog.BootID{b[0]}, Level: raylog.Level(b[2] & 7), Source: fuzzSources[int(b[2]>>4)%len(fuzzSources)],
				Uptime: time.Duration(int8(b[3])) * time.Duration(1<<(b[1]%55)), Message: string(b[5 : 5+n]),
			}}
			records = append(records, r)
			b = b[5+n:]
		}
		all := timeline.Boots(slices.Values(records))
		checkPictures(t, timeline.Last(string(b), all, 16))
		for i, boot := range all {
			if boot.Number != i-len(all)+1 || boot.Outcome == "" || len(boot.Problems) > timeline.MaxProblems || len(boot.Segments) > len(timeline.Stages()) {
				t.Errorf("%+v", boot)
			}
			for _, s := range boot.Segments {
				if s.TimeMS < -1 {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}

var fuzzSources = []string{"bootmgr", "init", "kernel", "pstore", "\x1b]0;x\a"}
