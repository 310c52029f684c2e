package watchdog

import (
	"fmt"
	"testing"
	"time"
)

// event is something that can happen to a machine. Its effect on the state is
// written down here a second time, as a table.
type event struct {
	name string
	do   func(m *Machine, now time.Duration)
	next map[State]State // where a state is missing, it stays
}

func events() []event {
	all := []event{
		{"arm", func(m *Machine, now time.Duration) { m.Arm(now) }, map[State]State{Disarmed: Armed}},
		{"disarm", func(m *Machine, _ time.Duration) { m.Disarm() }, map[State]State{Armed: Disarmed}},
		{"kick", func(m *Machine, now time.Duration) { m.Kick(now) }, nil},
		{"alive", func(m *Machine, now time.Duration) { m.Tick(now, true) }, nil},
		{"short timer", func(m *Machine, _ time.Duration) { m.SetActual(20 * time.Second) }, nil},
	}
	for p := AutoReboot; p <= Halt; p++ {
		all = append(all, event{p.String(), func(m *Machine, _ time.Duration) { m.SetPolicy(p) }, nil})
	}
	for _, n := range []int{-1, 0, 1, 2, 3} {
		all = append(all, event{fmt.Sprint("count ", n), func(m *Machine, _ time.Duration) { m.Count(n) }, nil})
	}
	return all
}

// world is a machine at a time, and what an onlooker knows of it.
type world struct {
	m     Machine
	since time.Duration // it was fed last, as the onlooker saw it
	acts  int
}

// key tells worlds apart: the machine's own clock may begin anywhere.
func (w world) key(now time.Duration) string {
	m := w.m
	m.fed = 0
	return fmt.Sprintf("%v %v %d", m, now-w.m.fed, w.acts)
}

const (
	step    = 5 * time.Second
	horizon = 26 * step // longer than the longest time-out
)

// TestEveryEventInEveryState walks all states that a machine can come into, tries
// each event there, and looks at what must always hold.
func TestEveryEventInEveryState(t *testing.T) {
	const now = time.Hour
	seen := map[string]bool{}
	states := map[State]int{}
	queue := []world{{m: Machine{fed: now}, since: now}}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		if k := w.key(now); seen[k] || now-w.m.fed > horizon {
			continue
		} else {
			seen[k] = true
		}
		states[w.m.State()]++
		for _, e := range events() {
			queue = append(queue, try(t, w, e, now))
		}
		queue = append(queue, dead(t, w, now), begin(t, w, now))
		later := w
		later.m.fed, later.since = w.m.fed-step, w.since-step
		queue = append(queue, later)
		if t.Failed() {
			t.Fatalf("in the state %+v", w.m)
		}
	}
	t.Logf("%d worlds: %v", len(seen), states)
	for s := Disarmed; s <= Failed; s++ {
		if states[s] == 0 {
			t.Errorf("the state %v was never reached", s)
		}
	}
}

// try does an event in a world.
func try(t *testing.T, w world, e event, now time.Duration) world {
	before := w.m
	e.do(&w.m, now)
	want, changes := e.next[before.state]
	if !changes {
		want = before.state
	}
	if w.m.state != want {
		t.Errorf("%v + %s = %v, want %v", before.state, e.name, w.m.state, want)
	}
	if before.late() && e.name != "short timer" && w.m != before {
		t.Errorf("%s changes a machine that has expired from %+v to %+v", e.name, before, w.m)
	}
	if w.m.fed == now && before.fed != now {
		w.since = now
	}
	check(t, w, now)
	return w
}

// dead is a tick while a service is not alive.
func dead(t *testing.T, w world, now time.Duration) world {
	before := w.m
	action := w.m.Tick(now, false)
	timeout := before.Timeout()
	due := before.state == Armed && now-w.since >= timeout-timeout/6
	if action == Feed {
		t.Error("fed although a service is dead")
	}
	if (action == Act) != due || (w.m.state == Expired) != (due || before.state == Expired) {
		t.Errorf("tick after %v of %v: action %v, state %v", now-w.since, timeout, action, w.m.state)
	}
	if action == Act {
		w.acts++
	}
	check(t, w, now)
	return w
}

// begin begins what the policy says.
func begin(t *testing.T, w world, now time.Duration) world {
	before := w.m
	o, ok := w.m.Begin(now)
	if ok != (before.state == Expired) {
		t.Errorf("Begin in %v: %v", before.state, ok)
	}
	if !ok {
		return w
	}
	want := Recovering
	if before.timeouts+1 >= FailAfter {
		want = Failed
	}
	if w.m.state != want || o.Halt != (w.m.policy == Halt) || o.Dump != (w.m.policy == DumpThenReboot) ||
		o.Recover != (w.m.policy == RecoveryBoot || want == Failed && w.m.policy != Halt) {
		t.Errorf("after %d time-outs, policy %v: %v, %+v", before.timeouts, w.m.policy, w.m.state, o)
	}
	if o.Fed() {
		w.since = now
	}
	check(t, w, now)
	return w
}

// check looks at what holds in every world.
func check(t *testing.T, w world, now time.Duration) {
	m := w.m
	switch {
	case w.acts > 1:
		t.Error("time was up twice")
	case m.late() != (w.acts == 1):
		t.Errorf("%v after time was up %d times", m.state, w.acts)
	case m.Remaining(now) < 0 || m.Remaining(now) > m.Timeout() || (m.state == Disarmed && m.Remaining(now) != 0):
		t.Errorf("%v remain of %v in %v", m.Remaining(now), m.Timeout(), m.state)
	case m.state != Disarmed && m.fed != w.since:
		t.Errorf("fed at %v, seen at %v", m.fed, w.since)
	case m.timeouts < 0 || m.Lead() <= 0 || m.Lead() >= m.Timeout():
		t.Errorf("%d time-outs, lead %v of %v", m.timeouts, m.Lead(), m.Timeout())
	}
}

// TestBackoff follows a machine over the resets that it causes.
func TestBackoff(t *testing.T) {
	for timeouts, want := range []struct {
		timeout time.Duration
		state   State
		orders  Orders
	}{
		{30 * time.Second, Recovering, Orders{}},
		{60 * time.Second, Recovering, Orders{}},
		{120 * time.Second, Failed, Orders{Recover: true}},
		{120 * time.Second, Failed, Orders{Recover: true}},
	} {
		var m Machine
		m.Count(timeouts)
		m.Arm(0)
		if m.Timeout() != want.timeout {
			t.Errorf("after %d time-outs: %v, want %v", timeouts, m.Timeout(), want.timeout)
		}
		if a := m.Tick(m.Timeout()-m.Lead()-1, false); a != Wait {
			t.Errorf("acts too early")
		}
		if a := m.Tick(m.Timeout()-m.Lead(), false); a != Act {
			t.Errorf("does not act in time")
		}
		orders, _ := m.Begin(m.Timeout())
		if orders != want.orders || m.State() != want.state || m.Timeouts() != timeouts+1 {
			t.Errorf("after %d time-outs: %+v, %v, %d time-outs", timeouts, orders, m.State(), m.Timeouts())
		}
	}
}

func TestNames(t *testing.T) {
	for i, name := range PolicyNames() {
		if p, err := ParsePolicy(name); err != nil || p != Policy(i) || p.String() != name {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if _, err := ParsePolicy("reboot"); err == nil {
		t.Error("there is a policy reboot")
	}
	if Policy(9).String() != "Policy(9)" || State(9).String() != "State(9)" || Failed.String() != "Failed" {
		t.Error("names of what does not exist")
	}
}

func TestServices(t *testing.T) {
	var s Services
	if s.Dead(time.Hour) != nil {
		t.Error("nobody is dead")
	}
	s.Watch("a", 10*time.Second, 0)
	s.Watch("b", 20*time.Second, 0)
	s.Watch("c", time.Second, 0)
	s.Forget("c")
	s.Beat("c", 0)
	s.Beat("a", 5*time.Second)
	for _, c := range []struct {
		at   time.Duration
		want string
	}{
		{15 * time.Second, "[]"},
		{16 * time.Second, "[a (silent for 11s)]"},
		{21 * time.Second, "[a (silent for 16s) b (silent for 21s)]"},
	} {
		if got := fmt.Sprint(s.Dead(c.at)); got != c.want {
			t.Errorf("at %v: %s, want %s", c.at, got, c.want)
		}
	}
	s.Watch("a", 10*time.Second, 21*time.Second)
	if got := fmt.Sprint(s.Names(), s.Dead(21*time.Second)); got != "[b a] [b (silent for 21s)]" {
		t.Errorf("watched anew: %s", got)
	}
}
