package record

import "github.com/rayos/rayboot/markers"

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	EntryFailed EventKind = iota + 1
	EntryDisabled
	EntryEnabled
	RecoveryTriggered
	GoldenStarted
	GoldenFailed
	Recovered
	Stopped
	StateLost
	CountersReset
	ServiceFailed
)

var eventKinds = [...]string{
	"", "entry-failed", "entry-disabled", "entry-enabled", "recovery-triggered", "golden-started", "golden-failed",
	"recovered", "stopped", "state-lost", "counters-reset", "service-failed",
}

func (k EventKind) String() string { return name(eventKinds[:], uint8(k)) }

// MarshalText implements [encoding.TextMarshaler].
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// maxSubject is how many bytes of its subject an event keeps.
const maxSubject = 16

// Event is something about recovery that people want to know later.
type Event struct {
	Number  uint32                 `json:"number"` // counts up from 0 for each record
	Kind    EventKind              `json:"kind"`
	Subject string                 `json:"subject"` // the first 16 bytes of the entry's key, the snapshot's ID or the service's name
	Stage   Stage                  `json:"stage"`
	Cause   markers.FailureCause   `json:"cause"`
	Reason  markers.RecoveryReason `json:"reason"`
}

// AddEvent numbers e and adds it; of more than MaxEvents the oldest is dropped.
func (r *Record) AddEvent(e Event) {
	e.Number = r.NextEvent
	e.Subject = clip(e.Subject, maxSubject)
	r.NextEvent++
	r.Events = append(r.Events, e)
	if len(r.Events) > MaxEvents {
		r.Events = append([]Event(nil), r.Events[len(r.Events)-MaxEvents:]...)
	}
}

// clip cuts s to n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
