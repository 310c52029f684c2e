package qmp_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/presentation/qmp"
)

const greeting = `{"QMP": {"version": {}, "capabilities": []}}` + "\r\n"

// monitor plays QEMU: it greets, and answers the n-th command with the n-th of these.
func monitor(t *testing.T, onEvent func(qmp.Event), answers ...string) (*qmp.Client, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		_, _ = io.WriteString(theirs, greeting)
		buf := make([]byte, 4096)
		for _, answer := range answers {
			if _, err := theirs.Read(buf); err != nil {
				return
			}
			if _, err := io.WriteString(theirs, answer); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { ours.Close() })
	return qmp.New(ours, onEvent)
}

const ready = `{"return": {}, "id": 1}` + "\r\n"

func TestAnswersEventsAndRefusals(t *testing.T) {
	var events []string
	c, err := monitor(t, func(e qmp.Event) { events = append(events, e.Name) }, ready,
		`{"event": "STOP", "data": {}}`+"\r\n"+`{"return": {"n": 7}, "id": 99}`+"\r\n"+`{"return": {"n": 5}, "id": 2}`+"\r\n",
		`{"error": {"class": "CommandNotFound", "desc": "no such command"}, "id": 3}`+"\r\n")
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ N int }
	if err := c.Execute(t.Context(), "query", nil, &got); err != nil || got.N != 5 {
		t.Errorf("got %+v, %v", got, err)
	}
	var refusal *qmp.Error
	if err := c.Execute(t.Context(), "nonsense", nil, nil); !errors.As(err, &refusal) || refusal.Class != "CommandNotFound" {
		t.Errorf("got %v", err)
	}
	<-c.Done()
	if len(events) != 1 || events[0] != "STOP" {
		t.Errorf("events %q", events)
	}
	if err := c.Execute(t.Context(), "query", nil, nil); err == nil {
		t.Error("a connection that has ended answers")
	}
}

func TestWhatEndsAConnection(t *testing.T) {
	for name, c := range map[string]struct{ message, want string }{
		"not JSON": {"hello\r\n", "invalid character"},
		"too long": {`{"return": "` + strings.Repeat("x", qmp.MaxMessage) + `", "id": 2}` + "\r\n", "too long"},
		"its end":  {"", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := monitor(t, nil, ready, c.message)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Execute(t.Context(), "query", nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestNoMonitor(t *testing.T) {
	for said, want := range map[string]string{
		"SSH-2.0-OpenSSH\r\n": "greeting: message of the monitor: invalid character",
		"{}\r\n":              "this is no QMP monitor",
		"":                    "greeting: EOF",
	} {
		if _, err := qmp.New(recording{strings.NewReader(said)}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", said, err, want)
		}
	}
}

// recording is a monitor that has said it all before it was asked.
type recording struct{ io.Reader }

func (recording) Write(p []byte) (int, error) { return len(p), nil }
func (recording) Close() error                { return nil }

func FuzzClient(f *testing.F) {
	f.Add([]byte(greeting + ready))
	f.Add([]byte(greeting + `{"event": "RESET", "data": {"guest": false}}` + "\r\n" + ready))
	f.Add([]byte(greeting + `{"error": {"class": "GenericError", "desc": ""}, "id": 1}` + "\r\n"))
	f.Add([]byte(`{"QMP": null}`))
	f.Fuzz(func(t *testing.T, said []byte) {
		c, err := qmp.New(recording{bytes.NewReader(said)}, nil)
		if err != nil {
			return
		}
		select {
		case <-c.Done():
		case <-time.After(time.Minute):
			t.Fatal("a connection that has ended goes on")
		}
	})
}
