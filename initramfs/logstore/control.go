package logstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// SocketPath is where process 1 listens for the command log, below the machine's
// root. A [Request] in JSON is answered by an [Answer].
const SocketPath = "run/rayos/log.sock"

// Request is one thing that is asked of the log.
type Request struct {
	Verb    string `json:"verb"`            // one of the constants
	Level   string `json:"level,omitempty"` // of VerbLevel: the new least level, or empty to change nothing; of VerbAdd: that of the entry
	Source  string `json:"source,omitempty"`
	Message string `json:"message,omitempty"`
}

// The verbs.
const (
	VerbLevel = "level"
	VerbClear = "clear"
	VerbFlush = "flush"
	VerbAdd   = "add" // keeps an entry, as [Log.Append] does
)

// Answer is how things stand after a request.
type Answer struct {
	Problem string       `json:"problem,omitempty"` // why it was not done; empty if it was
	Level   raylog.Level `json:"level"`             // the least level that is kept
}

// Answer does what a message asks for. now makes an entry of this moment.
func (l *Log) Answer(message []byte, now func(level raylog.Level, source, message string) raylog.Entry) []byte {
	var request Request
	err := json.Unmarshal(message, &request)
	if err == nil {
		err = l.do(request, now)
	}
	answer := Answer{Level: l.Level()}
	if err != nil {
		answer.Problem = fmt.Sprintf("%.1000s", err.Error())
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err) // an Answer can be marshalled
	}
	return text
}

func (l *Log) do(r Request, now func(level raylog.Level, source, message string) raylog.Entry) error {
	switch r.Verb {
	case VerbFlush:
		return l.Flush()
	case VerbClear:
		return l.Clear(now(raylog.Info, "log", markers.LogCleared{}.Marker().String()))
	case VerbAdd:
		level, err := raylog.ParseLevel(r.Level)
		if err != nil {
			return err
		}
		return l.Append(now(level, r.Source, r.Message))
	case VerbLevel:
		if r.Level == "" {
			return nil
		}
		level, err := raylog.ParseLevel(r.Level)
		if err != nil {
			return err
		}
		return l.SetLevel(level)
	}
	return fmt.Errorf("the log knows no %q", r.Verb)
}

// Ask asks process 1 and returns the least level that is kept then. The error is
// why it was not done, or that nobody answers.
func Ask(root string, r Request) (raylog.Level, error) {
	question, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	message, err := packet.Ask(filepath.Join(root, SocketPath), question)
	if err != nil {
		return 0, err
	}
	var answer Answer
	if err := json.Unmarshal(message, &answer); err != nil {
		return 0, fmt.Errorf("answer of process 1: %w", err)
	}
	if answer.Problem != "" {
		return answer.Level, errors.New(answer.Problem)
	}
	return answer.Level, nil
}
