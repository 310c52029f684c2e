package logstore_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/raylog"
)

func TestAsk(t *testing.T) {
	root, p := t.TempDir(), place(t)
	l := open(t, p, boot1)
	listener, err := packet.Listen(filepath.Join(root, logstore.SocketPath))
	must(t, err)
	served := make(chan error)
	go func() {
		served <- listener.Serve(func(message []byte) []byte {
			return l.Answer(message, now)
		})
	}()
	must(t, l.Append(entry(raylog.Info, "before")))
	for _, c := range []struct {
		request logstore.Request
		level   raylog.Level
		err     string
	}{
		{logstore.Request{Verb: logstore.VerbLevel}, raylog.Debug, ""},
		{logstore.Request{Verb: logstore.VerbLevel, Level: "warn"}, raylog.Warn, ""},
		{logstore.Request{Verb: logstore.VerbLevel, Level: "loud"}, raylog.Warn, "none of trace"},
		{logstore.Request{Verb: logstore.VerbFlush}, raylog.Warn, ""},
		{logstore.Request{Verb: logstore.VerbClear}, raylog.Warn, ""},
		{logstore.Request{Verb: logstore.VerbAdd, Level: "error", Source: "hand", Message: "by hand"}, raylog.Warn, ""},
		{logstore.Request{Verb: logstore.VerbAdd, Level: "info", Source: "hand", Message: "below the level"}, raylog.Warn, ""},
		{logstore.Request{Verb: logstore.VerbAdd, Level: "loud"}, raylog.Warn, "none of trace"},
		{logstore.Request{Verb: "shout"}, raylog.Warn, `knows no "shout"`},
	} {
		level, err := logstore.Ask(root, c.request)
		if level != c.level || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: %v, %v", c.request, level, err)
		}
	}
	if got := messages(t, p, raylog.Query{}); got != "[RAYOS_LOG:CLEARED] by hand" {
		t.Errorf("since it was cleared: %q", got)
	}
	must(t, listener.Close())
	must(t, <-served)
	must(t, l.Close())
}

func now(level raylog.Level, source, message string) raylog.Entry {
	return raylog.Entry{Level: level, Source: source, Message: message}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"verb":"level","level":"info"}`))
	f.Add([]byte(`{"verb":"clear"}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, message []byte) {
		l := open(t, place(t), boot1)
		if answer := l.Answer(message, now); len(answer) == 0 || len(answer) > packet.MaxBytes {
			t.Errorf("%q: an answer of %d bytes", message, len(answer))
		}
		must(t, l.Close())
	})
}
