package control_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/golden"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// keep puts a snapshot of this kernel into the machine's store.
func (m *machine) keep(t *testing.T, sequence uint64, kernel string, key ed25519.PrivateKey) golden.Snapshot {
	t.Helper()
	s := golden.Snapshot{
		Sequence: sequence, State: golden.Stable, Entry: "a", Title: "System " + kernel,
		Kernel: golden.NewPart([]byte(kernel)), Initrd: golden.NewPart(nil),
	}
	if key != nil {
		s.Sign(key)
	}
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	m.files[path.Join(golden.Dir, s.Name())] = &fstest.MapFile{Data: manifest[:]}
	m.files[path.Join(golden.Dir, s.Kernel.FileName())] = &fstest.MapFile{Data: []byte(kernel)}
	return s
}

// signedMachine has a snapshot with the right signature, one with another's, and
// one without; its boot manager has this key.
func signedMachine(t *testing.T, key ed25519.PublicKey) (m *machine, right, wrong, none golden.Snapshot) {
	m = newMachine()
	m.key = key
	return m, m.keep(t, 3, "right", testKey(1)), m.keep(t, 2, "wrong", testKey(2)), m.keep(t, 1, "none", nil)
}

func TestSignaturesAreShown(t *testing.T) {
	key := testKey(1).Public().(ed25519.PublicKey)
	m, right, wrong, none := signedMachine(t, key)
	out, err := do(t, m, control.Recovery(), false, "list")
	want := "" +
		"1  " + bootmenu.ShortID(right.ID()) + "  stable  System right  1 MiB  of a\n" +
		"2  " + bootmenu.ShortID(wrong.ID()) + "  stable  System wrong  1 MiB  of a  not used: signed with another key\n" +
		"3  " + bootmenu.ShortID(none.ID()) + "  stable  System none   1 MiB  of a  not used: not signed\n"
	if err != nil || out != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, out, want)
	}
	out, err = do(t, m, control.Recovery(), false, "verify")
	for s, says := range map[golden.Digest]string{
		right.ID(): "is as it was made", wrong.ID(): golden.ErrSignature.Error(), none.ID(): golden.ErrUnsigned.Error(),
	} {
		if line := bootmenu.ShortID(s) + ": " + says + "\n"; !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	if err == nil || err.Error() != "2 golden snapshots cannot be used" {
		t.Errorf("verify: %v", err)
	}
	if _, err := do(t, m, control.Recovery(), false, "verify", right.ID().String()); err != nil {
		t.Errorf("verify the right one: %v", err)
	}

	m, _, _, _ = signedMachine(t, nil)
	if out, err := do(t, m, control.Recovery(), false, "list"); err != nil || strings.Contains(out, "not used") {
		t.Errorf("without a key: %v\n%s", err, out)
	}
	if out, err := do(t, m, control.Recovery(), false, "verify"); err != nil {
		t.Errorf("without a key: %v\n%s", err, out)
	}
}

// TestSnapshotInASlot says where it lies, as an update there ends it.
func TestSnapshotInASlot(t *testing.T) {
	m := newMachine()
	s := golden.Snapshot{Sequence: 1, Title: "System", Entry: "slot", Kernel: golden.NewPart([]byte("kernel")), Initrd: golden.NewPart(nil)}
	s.Kernel.Slot, s.Kernel.OffsetBytes = 3, 1<<20
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	m.files[path.Join(golden.Dir, s.Name())] = &fstest.MapFile{Data: manifest[:]}
	out, err := do(t, m, control.Recovery(), false, "list")
	if want := "1  " + bootmenu.ShortID(s.ID()) + "  candidate  System  1 MiB  of slot  in kernel slot 3\n"; err != nil || out != want {
		t.Errorf("%v, got %s, want %s", err, out, want)
	}
}

func TestSignaturesInJSON(t *testing.T) {
	m, _, _, _ := signedMachine(t, testKey(1).Public().(ed25519.PublicKey))
	out, err := do(t, m, control.Recovery(), true, "list")
	var got struct {
		Snapshots []struct {
			Title, Refused string
			Signed         bool
		}
	}
	if err := errors.Join(err, json.Unmarshal([]byte(out), &got)); err != nil || len(got.Snapshots) != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, want := range []struct {
		refused string
		signed  bool
	}{{"", true}, {golden.ErrSignature.Error(), true}, {golden.ErrUnsigned.Error(), false}} {
		if s := got.Snapshots[i]; s.Refused != want.refused || s.Signed != want.signed {
			t.Errorf("%s: %+v, want %+v", s.Title, s, want)
		}
	}
}

// TestDamageAndSignature are told in one line.
func TestDamageAndSignature(t *testing.T) {
	m, _, _, none := signedMachine(t, testKey(1).Public().(ed25519.PublicKey))
	m.files[path.Join(golden.Dir, none.Kernel.FileName())].Data = []byte("NONE")
	out, err := do(t, m, control.Recovery(), false, "verify", none.ID().String())
	if err == nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, golden.ErrUnsigned.Error()+"; verify kernel: SHA-256 is") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestKeyThatCannotBeRead(t *testing.T) {
	m, _, _, _ := signedMachine(t, nil)
	m.keyless = errors.New("no headers")
	const says = "whether golden snapshots must be signed is not known: no headers"
	if out, err := do(t, m, control.Recovery(), false, "list"); err != nil || !strings.Contains(out, says) || !strings.Contains(out, "System none") {
		t.Errorf("list: %v\n%s", err, out)
	}
	if out, err := do(t, m, control.Recovery(), false, "verify"); err == nil || !strings.Contains(out, says) {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// taker takes a snapshot that is given; it has no other part of a store.
type taker struct {
	control.Store
	taken golden.Snapshot
	made  bool
}

func (s taker) Snapshot() (golden.Snapshot, bool, error) { return s.taken, s.made, nil }

// TestSnapshotThatIsToBeSigned: a person who takes one is told that it does not
// count yet.
func TestSnapshotThatIsToBeSigned(t *testing.T) {
	const note = "The boot manager does not use it before it is signed: rayimg recovery sign"
	for _, key := range []ed25519.PublicKey{nil, testKey(1).Public().(ed25519.PublicKey)} {
		m, right, _, none := signedMachine(t, key)
		for _, s := range []golden.Snapshot{right, none} {
			for made, says := range map[bool]string{true: " was taken.", false: " is there already."} {
				var out strings.Builder
				call := &control.Call{Machine: m, Store: taker{taken: s, made: made}, Out: &out}
				verb := find(t, control.Recovery(), "snapshot")
				if err := verb.Do(call); err != nil {
					t.Fatal(err)
				}
				if wanted := key != nil && !s.Signed(); !strings.Contains(out.String(), says) || strings.Contains(out.String(), note) != wanted {
					t.Errorf("key %v, signed %v: %s", key != nil, s.Signed(), &out)
				}
			}
		}
	}
}
