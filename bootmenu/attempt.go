package bootmenu

import (
	"fmt"
	"slices"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/markers"
)

// attempt is a start on its way: first it is made durable, then it happens.
type attempt struct {
	index   int    // of the entry
	options string // command line
	reason  markers.SelectReason
	tried   bool   // its file name was counted down, or could not be
	problem string // why it could not be recorded
}

// start chooses an entry. It is started when its attempt is on disk.
func (s State) start(index int, reason markers.SelectReason, options string) (State, []Effect) {
	e := &s.entries[index]
	s.Phase, s.cursor, s.countdown, s.editor = Selected, index, noCountdown, nil
	s.attempt = attempt{index: index, options: options, reason: reason, tried: !e.Tries}
	s.record = s.record.Clone()
	switch {
	case e.Kind == markers.KindSetup:
		return s, []Effect{EnterSetup{}}
	case e.Kind == markers.KindGolden:
		if len(s.snapshots) == 0 {
			return s.show("No golden snapshot is left that can be used.", noCountdown), nil
		}
		s.Phase = RecoveryPending
		id := s.snapshots[0].ID
		s.record.Open = record.Attempt{Kind: record.GoldenAttempt, Snapshot: id, Nonce: s.nonce, Stage: record.StageStart}
		s.record.RecoveryAttempts = min(s.record.RecoveryAttempts+1, maxCount)
		s.record.AddEvent(record.Event{Kind: record.GoldenStarted, Subject: id.String(), Reason: s.recovery()})
	case e.Counted:
		s.record.Open = record.Attempt{Kind: record.EntryAttempt, Entry: record.Key(e.ID), Nonce: s.nonce, Stage: record.StageStart}
	}
	return s.proceed()
}

// proceed does the next thing on the way to a start: the record, the file name,
// the start itself.
func (s State) proceed() (State, []Effect) {
	e := &s.entries[s.attempt.index]
	switch {
	case s.attempt.problem == "" && !s.record.Equal(s.stored):
		return s, []Effect{SaveState{s.record.Clone()}}
	case !s.attempt.tried:
		return s, []Effect{CountTry{e.ID}}
	}
	var effects []Effect
	if s.attempt.problem != "" && (s.record.Open.Kind != record.NoAttempt || e.Tries) {
		effects = append(effects, Emit{markers.BootmgrUncounted{Entry: e.ID, Reason: s.attempt.problem}})
	}
	watchdog := 0
	if s.record.Open.Kind != record.NoAttempt {
		watchdog = WatchdogSeconds(s.record.Backoff)
	}
	if e.Kind != markers.KindGolden {
		s.Phase = Booting
		return s, append(effects, Start{ID: e.ID, Options: s.attempt.options, Reason: s.attempt.reason, WatchdogSeconds: watchdog})
	}
	s.Phase = Recovering
	reason := string(s.recovery())
	if s.attempt.reason == markers.ReasonUser {
		reason = string(markers.ReasonUser)
	}
	return s, append(effects, StartGolden{
		Snapshot: s.record.Open.Snapshot, Reason: reason, Attempt: s.record.RecoveryAttempts, WatchdogSeconds: watchdog,
	})
}

// stateSaved goes on with what the record was saved for.
func (s State) stateSaved(e StateSaved) (State, []Effect) {
	if e.Problem == "" {
		s.stored = s.record.Clone()
	}
	switch s.Phase {
	case Idle:
		return s.settled(e.Problem)
	case Selected, RecoveryPending:
		s.attempt.problem = e.Problem
		return s.proceed()
	case Displayed:
		if e.Problem != "" {
			s.notice = fmt.Sprintf("This failure could not be recorded: %s", e.Problem)
		}
	}
	return s, nil
}

func (s State) tryCounted(e TryCounted) (State, []Effect) {
	if s.Phase != Selected {
		return s, nil
	}
	s.attempt.tried = true
	if e.Problem != "" {
		s.attempt.problem = e.Problem
	}
	return s.proceed()
}

// startFailed counts the failure and falls through to the next choice: at once
// on an unattended machine, with the menu and a countdown in front of a person.
func (s State) startFailed(e StartFailed) (State, []Effect) {
	var effects []Effect
	recovery := s.recovery()
	s.record = s.record.Clone()
	if s.Phase == Recovering {
		effects = s.goldenFailed(e)
	} else {
		effects = s.entryFailed(e)
	}
	s.record.Open = record.Attempt{}
	if recovery == "" && s.recovery() == markers.RecoverNoEntry {
		effects = append(effects, Emit{markers.RecoveryTriggered{Reason: markers.RecoverNoEntry}})
	}
	notice := fmt.Sprintf("%s did not start: %s.", s.entries[s.attempt.index].Title, e.Problem)
	s.config.OneShot = "" // was this one, or does not matter any more
	next, reason, ok := s.choose()
	if !ok {
		stopped, more := s.stop(notice)
		return stopped.saveAfter(append(effects, more...))
	}
	if reason != markers.ReasonRecovery {
		reason = markers.ReasonFallback
	}
	s.cursor, s.pending = next, reason
	if s.person {
		return s.show(notice, max(s.config.TimeoutSeconds, defaultFallbackSeconds)).saveAfter(effects)
	}
	s.notice = notice
	s, more := s.start(next, reason, s.entries[next].Options)
	return s, append(effects, more...)
}

// defaultFallbackSeconds is how long a person can read why an entry failed
// before the next choice is started.
const defaultFallbackSeconds = 5

// saveAfter saves the record if it has changed, when the effects are done.
func (s State) saveAfter(effects []Effect) (State, []Effect) {
	if !s.record.Equal(s.stored) {
		effects = append(effects, SaveState{s.record.Clone()})
	}
	return s, effects
}

// goldenFailed puts the snapshot aside. It was not started, which is no attempt
// at recovery.
func (s *State) goldenFailed(e StartFailed) []Effect {
	id := s.record.Open.Snapshot
	s.snapshots = slices.DeleteFunc(slices.Clone(s.snapshots), func(x Snapshot) bool { return x.ID == id })
	s.record.RecoveryAttempts = max(0, s.record.RecoveryAttempts-1)
	s.record.AddEvent(record.Event{Kind: record.GoldenFailed, Subject: id.String(), Stage: record.StartStage(e.Stage), Cause: startCause(e.Stage)})
	return []Effect{Emit{markers.BootmgrGoldenRefused{Snapshot: ShortID(id), Reason: e.Problem}}}
}

// entryFailed marks the entry and counts its failure.
func (s *State) entryFailed(e StartFailed) []Effect {
	s.entries = slices.Clone(s.entries)
	entry := &s.entries[s.attempt.index]
	entry.problem = e.Problem
	return s.count(entry.ID, failure{
		key: record.Key(entry.ID), stage: record.StartStage(e.Stage), cause: startCause(e.Stage), content: entry.Content,
	})
}

// startCause is what a failure on the way to a running image is called.
func startCause(stage markers.StartStage) markers.FailureCause {
	if stage == markers.StageStart {
		return markers.CauseStart
	}
	return markers.CauseLoad
}

// count records a failure and tells of it and of what follows from it.
func (s *State) count(id string, f failure) []Effect {
	e, disabled := fail(&s.record, f, s.present)
	effects := []Effect{Emit{markers.FailureCount{Entry: id, Count: e.Failures, Limit: EntryLimit, Stage: e.Stage.String(), Reason: e.Cause}}}
	if !disabled {
		return effects
	}
	effects = append(effects, Emit{markers.BootmgrEntryDisabled{Entry: id, Count: s.record.Disablings, Limit: DisableLimit, Reason: e.Cause}})
	if s.record.Disablings >= DisableLimit && s.record.Recovery == "" {
		trigger(&s.record, markers.RecoverFailures)
		effects = append(effects, Emit{markers.RecoveryTriggered{Reason: markers.RecoverFailures}})
	}
	return effects
}

// present reports whether an entry with this key was found.
func (s *State) present(key string) bool {
	return slices.ContainsFunc(s.entries, func(e Entry) bool { return record.Key(e.ID) == key })
}
