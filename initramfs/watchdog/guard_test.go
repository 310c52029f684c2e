package watchdog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rayos/rayboot/markers"
)

// rig is a guard whose timer and machine are recorded in the order in which things
// happen to them.
type rig struct {
	*Guard
	mu      sync.Mutex
	now     time.Duration
	log     []string
	absent  error // of the timer
	broken  error // of each use of it
	longest time.Duration
}

func newRig() *rig {
	r := &rig{longest: time.Hour}
	r.Guard = New(Config{
		Now: func() time.Duration { r.mu.Lock(); defer r.mu.Unlock(); return r.now },
		Find: func() (Source, error) {
			return Source{Module: "i6300esb", Open: func() (Timer, error) { r.note("open"); return fakeTimer{r}, nil }}, r.absent
		},
		Say:  func(text string) { r.note("say %s", text) },
		Emit: func(m markers.Emitter) { r.note("%v", m.Marker()) },
		Act:  func(o Orders, dead []Dead) { r.note("act %+v %v", o, dead) },
	})
	return r
}

func (r *rig) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

// later lets time go by.
func (r *rig) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now += d
}

// want compares what has happened since the last time.
func (r *rig) want(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.log, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(r.log, "\n\t"), strings.Join(want, "\n\t"))
	}
	r.log = nil
}

type fakeTimer struct{ r *rig }

func (f fakeTimer) SetTimeout(d time.Duration) (time.Duration, error) {
	f.r.note("timeout %v", d)
	return min(d, f.r.longest), f.r.broken
}
func (f fakeTimer) Feed() error { f.r.note("feed"); return f.r.broken }
func (f fakeTimer) Stop() error { f.r.note("stop"); return f.r.broken }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

const (
	armed  = "[RAYOS_WATCHDOG:ARMED] device=i6300esb, seconds=30, reason=takeover"
	kicked = "[RAYOS_WATCHDOG:KICKED] device=i6300esb, reason=first"
)

// taken is a rig whose guard has taken over.
func taken(t *testing.T) *rig {
	t.Helper()
	r := newRig()
	must(t, r.Arm(markers.ArmedTakeover))
	r.Tick()
	r.want(t, "open", "timeout 30s", armed, "feed", kicked)
	return r
}

func TestFedOnlyWhileAllAreAlive(t *testing.T) {
	r := taken(t)
	r.Watch("shell", time.Minute)
	r.Watch("init", 30*time.Second)
	r.later(30 * time.Second)
	r.Tick()
	r.want(t, "feed")
	r.Beat("shell")
	r.later(time.Second)
	r.Tick()
	r.later(23 * time.Second)
	r.Tick()
	r.want(t)
	r.later(time.Second)
	r.Tick()
	r.want(t, "[RAYOS_WATCHDOG:EXPIRED] service=init, policy=auto-reboot, count=1, limit=3", "act {Recover:false Dump:false Halt:false} [init (silent for 55s)]")
	r.Beat("init")
	r.Tick()
	for what, err := range map[string]error{"arm": r.Arm(markers.ArmedCommand), "disarm": r.Disarm(), "kick": r.Kick(), "policy": r.SetPolicy(Halt)} {
		if !errors.Is(err, ErrLate) {
			t.Errorf("%s after the end: %v", what, err)
		}
	}
	r.want(t)
}

func TestServiceThatComesBackInTime(t *testing.T) {
	r := taken(t)
	r.Watch("init", 30*time.Second)
	r.later(50 * time.Second)
	r.Tick()
	r.Beat("init")
	r.Tick()
	r.want(t, "[RAYOS_WATCHDOG:EXPIRED] service=init, policy=auto-reboot, count=1, limit=3", "act {Recover:false Dump:false Halt:false} [init (silent for 50s)]")

	r = taken(t)
	r.Watch("init", 30*time.Second)
	r.later(20 * time.Second)
	r.Tick()
	r.later(20 * time.Second)
	r.Tick()
	r.Beat("init")
	r.Tick()
	r.want(t, "feed", "feed")
}

// TestPolicies leave the timer as what is to be done needs it.
func TestPolicies(t *testing.T) {
	for p, want := range map[Policy][]string{
		AutoReboot:     {"act {Recover:false Dump:false Halt:false}"},
		DumpThenReboot: {"feed", "act {Recover:false Dump:true Halt:false}"},
		RecoveryBoot:   {"feed", "act {Recover:true Dump:false Halt:false}"},
		Halt:           {"stop", "act {Recover:false Dump:false Halt:true}"},
	} {
		r := taken(t)
		must(t, r.SetPolicy(p))
		r.Watch("x", 0)
		r.later(25 * time.Second)
		r.Tick()
		want = append([]string{"[RAYOS_WATCHDOG:EXPIRED] service=x, policy=" + p.String() + ", count=1, limit=3"}, want...)
		want[len(want)-1] += " [x (silent for 25s)]"
		r.want(t, want...)
	}
}

func TestDisarmAndArm(t *testing.T) {
	r := taken(t)
	r.Watch("x", 0)
	must(t, r.Disarm())
	must(t, r.Disarm())
	r.later(time.Hour)
	r.Tick()
	if err := r.Kick(); !errors.Is(err, ErrDisarmed) {
		t.Errorf("kick: %v", err)
	}
	r.Forget("x")
	must(t, r.Arm(markers.ArmedCommand))
	r.Tick()
	must(t, r.Kick())
	must(t, r.Arm(markers.ArmedCommand))
	again := strings.Replace(armed, "takeover", "command", 1)
	r.want(t, "stop", "open", "timeout 30s", again, "feed", kicked, "feed", strings.Replace(kicked, "first", "command", 1), "timeout 30s", again)
}

func TestCount(t *testing.T) {
	r := taken(t)
	r.Count(0)
	r.Count(2)
	r.Count(3)
	r.Count(0)
	r.want(t, "timeout 2m0s", "timeout 30s")
	must(t, r.Disarm())
	r.Count(1)
	must(t, r.Arm(markers.ArmedCommand))
	r.want(t, "stop", "open", "timeout 1m0s", "[RAYOS_WATCHDOG:ARMED] device=i6300esb, seconds=60, reason=command")
}

// TestShortTimer acts before the timer does, however short that is.
func TestShortTimer(t *testing.T) {
	r := newRig()
	r.longest, r.broken = 12*time.Second, errors.New("set watchdog: invalid argument")
	must(t, r.Arm(markers.ArmedTakeover))
	r.broken = nil
	r.want(t, "open", "timeout 30s", "say set watchdog: invalid argument", strings.Replace(armed, "=30", "=12", 1))
	r.Watch("x", 0)
	r.later(10 * time.Second)
	r.Tick()
	if r.mu.Lock(); !strings.Contains(r.log[len(r.log)-1], "act") {
		t.Errorf("%v", r.log)
	}
	r.mu.Unlock()
}

// TestEnd of the machine in order: nobody must be alive any more, and the timer is
// fed for the last time.
func TestEnd(t *testing.T) {
	r := taken(t)
	r.Watch("x", 0)
	r.BeginEnd()
	r.Count(1)
	r.later(time.Hour)
	r.Tick()
	r.want(t, "timeout 2m0s")
	if err := r.Arm(markers.ArmedCommand); !errors.Is(err, ErrLate) {
		t.Errorf("arm: %v", err)
	}
	must(t, r.Disarm())
	r.want(t, "stop")
	newRig().BeginEnd() // nothing to end
}

// TestTimerThatCannotBeFed is told of once.
func TestTimerThatCannotBeFed(t *testing.T) {
	r := taken(t)
	r.broken = errors.New("no such device")
	r.Tick()
	r.Tick()
	r.broken = nil
	r.Tick()
	r.want(t, "feed", "say no such device", "feed", "feed")
	r.broken = errors.New("it is active still")
	if err := r.Disarm(); err == nil {
		t.Error("no error from a timer that does not stop")
	}
}

func TestNoTimer(t *testing.T) {
	r := newRig()
	r.absent = ErrNone
	if err := r.Arm(markers.ArmedCommand); !errors.Is(err, ErrNone) {
		t.Errorf("error %v", err)
	}
	r.Tick()
	r.want(t)
	if got := r.Status().State; got != "Disarmed" {
		t.Errorf("state %s", got)
	}
}

func TestRun(t *testing.T) {
	r := taken(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Run(ctx)
}
