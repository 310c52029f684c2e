package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Event is an asynchronous message of QEMU, such as RESET or SHUTDOWN.
type Event struct {
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// QMPError is QEMU's answer to a command that it could not do.
type QMPError struct {
	Class       string `json:"class"`
	Description string `json:"desc"`
}

func (e *QMPError) Error() string { return e.Description }

// QMP is a client of the QEMU Machine Protocol. Its methods may be called from several goroutines.
type QMP struct {
	conn    io.ReadWriteCloser
	onEvent func(Event)
	ended   chan struct{} // closed when nothing more can be read
	readErr error         // why; read only after ended

	mu      sync.Mutex // guards writing to conn and the fields below
	lastID  int
	waiting map[int]chan response
}

type request struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
	ID        int    `json:"id"`
}

type response struct {
	ID     int             `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *QMPError       `json:"error"`
	Event
}

// NewQMP takes a fresh connection to a monitor through its greeting into command mode. onEvent may be nil. QMP owns
// conn if the error is nil.
func NewQMP(conn io.ReadWriteCloser, onEvent func(Event)) (*QMP, error) {
	if onEvent == nil {
		onEvent = func(Event) {}
	}
	q := &QMP{conn: conn, onEvent: onEvent, ended: make(chan struct{}), waiting: map[int]chan response{}}
	decoder := json.NewDecoder(conn)
	var greeting struct {
		QMP *struct{} `json:"QMP"`
	}
	if err := decoder.Decode(&greeting); err != nil {
		return nil, fmt.Errorf("read the monitor's greeting: %w", err)
	}
	if greeting.QMP == nil {
		return nil, errors.New("read the monitor's greeting: this is no QMP monitor")
	}
	go q.read(decoder)
	if err := q.Execute(context.Background(), "qmp_capabilities", nil, nil); err != nil {
		return nil, err
	}
	return q, nil
}

func (q *QMP) read(decoder *json.Decoder) {
	defer close(q.ended)
	for {
		var r response
		if err := decoder.Decode(&r); err != nil {
			q.readErr = err
			return
		}
		if r.Event.Name != "" {
			q.onEvent(r.Event)
			continue
		}
		q.mu.Lock()
		answer := q.waiting[r.ID]
		delete(q.waiting, r.ID)
		q.mu.Unlock()
		if answer != nil {
			answer <- r
		}
	}
}

// Execute runs one command and decodes what it returns into result, which may be nil. A refusal is a *QMPError.
func (q *QMP) Execute(ctx context.Context, command string, arguments, result any) error {
	id, answer, err := q.send(command, arguments)
	if err != nil {
		return fmt.Errorf("monitor command %s: %w", command, err)
	}
	defer func() {
		q.mu.Lock()
		delete(q.waiting, id)
		q.mu.Unlock()
	}()
	select {
	case r := <-answer:
		if r.Error != nil {
			return fmt.Errorf("monitor command %s: %w", command, r.Error)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(r.Return, result); err != nil {
			return fmt.Errorf("monitor command %s: %w", command, err)
		}
		return nil
	case <-q.ended:
		return fmt.Errorf("monitor command %s: %w", command, q.readErr)
	case <-ctx.Done():
		return fmt.Errorf("monitor command %s: %w", command, context.Cause(ctx))
	}
}

func (q *QMP) send(command string, arguments any) (int, chan response, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lastID++
	line, err := json.Marshal(request{Execute: command, Arguments: arguments, ID: q.lastID})
	if err != nil {
		return 0, nil, err
	}
	answer := make(chan response, 1)
	q.waiting[q.lastID] = answer
	if _, err := q.conn.Write(append(line, '\n')); err != nil {
		delete(q.waiting, q.lastID)
		return 0, nil, err
	}
	return q.lastID, answer, nil
}

// Done returns a channel that is closed when the connection has ended, after the last event.
func (q *QMP) Done() <-chan struct{} { return q.ended }

// Close ends the connection; QEMU itself goes on.
func (q *QMP) Close() error {
	err := q.conn.Close()
	<-q.ended
	return err
}
