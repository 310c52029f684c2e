package watchdog

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestStatus(t *testing.T) {
	r := taken(t)
	r.Count(1)
	r.Watch("init", time.Second)
	r.Watch("shell", time.Minute)
	r.later(5 * time.Second)
	const want = "[RAYOS_WATCHDOG] Status:\nState: Armed\nTimeout: 60000 ms\nTime Remaining: 55000 ms\nConsecutive Failures: 1\n" +
		"Device: i6300esb\nPolicy: auto-reboot\nServices: init, shell\nDead: init"
	if got := r.Status().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got := newRig().Status().String()
	if !strings.Contains(got, "State: Disarmed\nTimeout: 30000 ms\nTime Remaining: 0 ms\n") || !strings.Contains(got, "Device: none\nPolicy: auto-reboot\nServices: none") {
		t.Errorf("disarmed:\n%s", got)
	}
}

func TestAsk(t *testing.T) {
	root := t.TempDir()
	if _, err := Ask(root, Request{Verb: VerbStatus}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nobody there: %v", err)
	}
	r := newRig()
	for range 2 { // the second time over the socket of the first
		l, err := Listen(root)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() { r.Serve(l); close(served) }()
		askAll(t, root)
		must(t, l.Close())
		<-served
	}
}

// askAll asks for everything.
func askAll(t *testing.T, root string) {
	t.Helper()
	for _, c := range []struct {
		request Request
		state   string
		policy  string
		err     string
	}{
		{Request{Verb: VerbStatus}, "Disarmed", "auto-reboot", ""},
		{Request{Verb: VerbKick}, "Disarmed", "auto-reboot", ErrDisarmed.Error()},
		{Request{Verb: VerbArm}, "Armed", "auto-reboot", ""},
		{Request{Verb: VerbKick}, "Armed", "auto-reboot", ""},
		{Request{Verb: VerbPolicy}, "Armed", "auto-reboot", ""},
		{Request{Verb: VerbPolicy, Policy: "halt"}, "Armed", "halt", ""},
		{Request{Verb: VerbPolicy, Policy: "no"}, "Armed", "halt", `no watchdog policy "no"`},
		{Request{Verb: "bark"}, "Armed", "halt", `knows no "bark"`},
		{Request{Verb: VerbPolicy, Policy: "auto-reboot"}, "Armed", "auto-reboot", ""},
		{Request{Verb: VerbDisarm}, "Disarmed", "auto-reboot", ""},
	} {
		s, err := Ask(root, c.request)
		if s.State != c.state || s.Policy != c.policy || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: %+v, %v", c.request, s, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, verb := range []string{VerbStatus, VerbArm, VerbDisarm, VerbKick, VerbPolicy, "?"} {
		message, err := json.Marshal(Request{Verb: verb, Policy: "halt"})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
	}
	f.Add([]byte(`{"verb":`))
	f.Fuzz(func(t *testing.T, message []byte) {
		r := newRig()
		answer := r.answer(message)
		if s := answer.Status.State; s != "Disarmed" && s != "Armed" {
			t.Errorf("%q: state %s", message, s)
		}
		if _, err := json.Marshal(answer); err != nil {
			t.Error(err)
		}
	})
}
