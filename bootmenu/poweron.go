package bootmenu

import (
	"fmt"
	"slices"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// powerOn draws the conclusions of what the record says about the boot before
// this one. What they change is saved before anything is chosen.
func powerOn(e PoweredOn) (State, []Effect) {
	s := State{
		entries:   menu(e.Entries, e.Snapshots),
		config:    e.Config,
		record:    e.State.Record.Clone(),
		stored:    e.State.Record.Clone(),
		nonce:     e.Nonce,
		snapshots: e.Snapshots,
		countdown: noCountdown,
		person:    e.KeyWaiting,
		notice:    e.Config.Notice,
	}
	effects := s.readState(e.State)
	s.readContent()
	effects = append(effects, s.readAttempt(e.Watchdog)...)
	if s.record.Recovery == "" && s.recovery() != "" {
		effects = append(effects, Emit{markers.RecoveryTriggered{Reason: s.recovery()}})
	}
	if s.config.OneShot == "" {
		s.config.OneShot = s.record.OneShot
	}
	s.record.OneShot = ""
	if !s.record.Equal(s.stored) {
		return s, append(effects, SaveState{s.record.Clone()})
	}
	s, more := s.decide()
	return s, append(effects, more...)
}

// menu is the list of entries with the golden snapshots in it, before the
// firmware's setup.
func menu(found []Entry, snapshots []Snapshot) []Entry {
	all := slices.Clone(found[:min(len(found), MaxEntries)])
	if len(snapshots) == 0 {
		return all
	}
	at := slices.IndexFunc(all, func(e Entry) bool { return e.Kind == markers.KindSetup })
	if at < 0 {
		at = len(all)
	}
	return slices.Insert(all, at, goldenEntry(snapshots))
}

// readState says what is wrong with the record. Without it nothing is known of
// earlier failures, which is taken for the worst: golden is preferred.
func (s *State) readState(loaded record.Loaded) []Effect {
	if loaded.Problem == nil {
		return nil
	}
	reason := loaded.Problem.Error()
	s.notice = fmt.Sprintf("Boot state: %s.", reason)
	if loaded.Status != record.Lost && loaded.Status != record.Foreign {
		return nil
	}
	s.record.AddEvent(record.Event{Kind: record.StateLost})
	trigger(&s.record, markers.RecoverStateLost)
	return []Effect{
		Emit{markers.BootmgrStateLost{Reason: reason}},
		Emit{markers.RecoveryTriggered{Reason: markers.RecoverStateLost}},
	}
}

// readContent gives the entries another chance whose content is not the one
// that failed.
func (s *State) readContent() {
	for _, e := range s.entries {
		item := s.record.Find(record.Key(e.ID))
		unknown := record.Content{}
		if item == nil || e.Content == unknown || item.Content == unknown || item.Content == e.Content {
			continue
		}
		s.record, _ = Enable(s.record, item.Key)
	}
}

// readAttempt counts an attempt that is still open: the machine went down
// before its boot was good.
func (s *State) readAttempt(watchdog bool) []Effect {
	open := s.record.Open
	s.record.Open = record.Attempt{}
	cause := markers.CauseCrash
	switch {
	case open.Cause != "":
		cause = open.Cause
	case watchdog:
		cause = markers.CauseWatchdog
	}
	switch open.Kind {
	case record.EntryAttempt:
		id, content := open.Entry, record.Content{}
		for _, e := range s.entries {
			if record.Key(e.ID) == open.Entry {
				id, content = e.ID, e.Content
			}
		}
		return s.count(id, failure{key: open.Entry, stage: open.Stage, cause: cause, content: content, told: open.Cause != ""})
	case record.GoldenAttempt:
		raiseBackoff(&s.record, cause)
		if open.Cause == "" {
			s.record.AddEvent(record.Event{Kind: record.GoldenFailed, Subject: open.Snapshot.String(), Stage: open.Stage, Cause: cause})
		}
		if s.record.RecoveryAttempts >= RecoveryLimit {
			s.record.AddEvent(record.Event{Kind: record.Stopped})
		}
	}
	return nil
}

// settled goes on when what the power-on told is saved. A one-shot that could
// not be consumed is not honoured: it would be honoured at every boot.
func (s State) settled(problem string) (State, []Effect) {
	if problem != "" {
		s.notice = fmt.Sprintf("The boot state could not be saved: %s.", problem)
		if s.stored.OneShot != "" && s.config.OneShot == s.stored.OneShot {
			s.config.OneShot = ""
		}
	}
	return s.decide()
}

// ShortID is how people and markers name a snapshot.
func ShortID(id golden.Digest) string { return id.String()[:16] }
