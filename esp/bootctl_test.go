package esp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bootctlEntry is what bootctl list --json tells of an entry.
type bootctlEntry struct {
	ID           string
	Path         string
	Title        string
	ShowTitle    string
	SortKey      string
	Version      string
	MachineID    string
	Architecture string
	Options      string
	Linux        string
	EFI          string
	DeviceTree   string
	Initrd       []string
	TriesLeft    *int
	TriesDone    int
}

// TestDiscoverLikeBootctl lets bootctl of systemd read the same ESP, with many
// entries made at random from few values so that every rule of the order counts.
func TestDiscoverLikeBootctl(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			root := t.TempDir()
			writeRandomESP(t, root, rand.New(rand.NewPCG(2026, seed)))
			compareWithBootctl(t, root)
		})
	}
}

func compareWithBootctl(t *testing.T, root string) {
	t.Helper()
	want := listWithBootctl(t, root)
	entries, problems := Discover(os.DirFS(root), X64)
	if len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
	if len(entries) != len(want) {
		t.Fatalf("%d entries, bootctl lists %d", len(entries), len(want))
	}
	titles := Titles(entries)
	for i, e := range entries {
		got := toBootctl(root, e, titles[i])
		if a, b := asJSON(t, got), asJSON(t, want[i]); a != b {
			t.Errorf("entry %d is\n%s\nbootctl says\n%s", i, a, b)
		}
	}
}

// toBootctl puts an entry into bootctl's words.
func toBootctl(root string, e Entry, title string) bootctlEntry {
	b := bootctlEntry{
		ID: e.LoaderID, Path: filepath.Join(root, e.Path), Title: e.Title, SortKey: e.SortKey, Version: e.Version,
		MachineID: e.MachineID, Architecture: string(e.Architecture), Options: e.Options, DeviceTree: rooted(e.DeviceTree),
		// bootctl shows IDs with their suffix.
		ShowTitle: strings.ReplaceAll(title, "("+e.ID+")", "("+e.LoaderID+")"),
	}
	for _, path := range e.Initrd {
		b.Initrd = append(b.Initrd, rooted(path))
	}
	if e.Kind == Type2 {
		b.Linux, b.Architecture = e.UKI, ""
	} else {
		b.Linux, b.EFI = rooted(e.Linux), rooted(e.EFI)
	}
	if e.File.Counted {
		b.TriesLeft, b.TriesDone = &e.File.TriesLeft, e.File.TriesDone
	}
	return b
}

func rooted(path string) string {
	if path == "" {
		return ""
	}
	return "/" + path
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// writeRandomESP writes entries with different IDs, in lower case, because
// bootctl does not make them so as systemd-boot does.
func writeRandomESP(t *testing.T, root string, random *rand.Rand) {
	t.Helper()
	pick := func(values ...string) string { return values[random.IntN(len(values))] }
	for i := range 60 {
		name := fmt.Sprintf("%s%d%s", pick("linux-6.", "a-", "a_", "b"), i, pick("", "", "+3", "+2-1", "+02-10", "+0-3"))
		var text strings.Builder
		for _, line := range []string{
			"title " + pick("RayOS", "Debian", "Debian", "RayOS safe"), pick("", "version 6.1.0-9", "version 6.1.0-10", "version 6.1~rc2"),
			pick("", "sort-key a", "sort-key b", "sort-key rayos"), pick("", "machine-id 1", "machine-id 2"),
			pick("linux /vmlinuz", "efi /EFI/tool.efi"), pick("", "initrd /a", "initrd /a\ninitrd /b"), pick("", "options a", "options a  b\noptions c"),
			pick("", "architecture x64"), pick("", "devicetree /x.dtb"), pick("", "x-rayos-slot 1", "# nothing"),
		} {
			if line != "" {
				text.WriteString(line + pick("\n", "\n", "\n\n"))
			}
		}
		writeFile(t, filepath.Join(root, EntriesDir, name+".conf"), []byte(text.String()))
	}
	for i := range 20 {
		osrel := "NAME=Image\nID=" + pick("a", "rayos") + "\nVERSION_ID=" + pick("1", "2", "'1~rc'") + "\n" + pick("", "IMAGE_ID=a\n", "VERSION=\"6 six\"\n", "PRETTY_NAME=\"Debian \\\"12\\\"\"\n")
		name := fmt.Sprintf("%s%d%s.efi", pick("linux-7.", "c"), i, pick("", "+3", "+0-3"))
		writeFile(t, filepath.Join(root, UKIDir, name), buildUKI(t, osrel, "6.1.0", pick("quiet", "root=LABEL=x quiet\n")))
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// listWithBootctl runs bootctl in a mount namespace of its own, where root is a
// mount point, as bootctl wants it of an ESP.
func listWithBootctl(t *testing.T, root string) []bootctlEntry {
	t.Helper()
	bootctl, err := exec.LookPath("bootctl")
	if err != nil {
		t.Skip("bootctl is not installed; it is part of Debian's package systemd-boot")
	}
	unshare := []string{"--mount"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	if output, err := exec.Command("unshare", append(unshare, "true")...).CombinedOutput(); err != nil {
		t.Skipf("a mount namespace cannot be made here: %v: %s", err, output)
	}
	const script = `mount --bind "$1" "$1" && exec "$2" --esp-path="$1" list --json=short`
	cmd := exec.Command("unshare", append(unshare, "sh", "-c", script, "sh", root, bootctl)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_RELAX_ESP_CHECKS=1")
	output, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return decodeBootctl(t, output)
}

// decodeBootctl reads bootctl's JSON: one object after the other until systemd
// 252, an array later. Entries without a file are of the running system.
func decodeBootctl(t *testing.T, output []byte) []bootctlEntry {
	t.Helper()
	var entries []bootctlEntry
	if bytes.HasPrefix(bytes.TrimSpace(output), []byte("[")) {
		if err := json.Unmarshal(output, &entries); err != nil {
			t.Fatalf("%v in %s", err, output)
		}
	} else {
		for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
			var e bootctlEntry
			err := decoder.Decode(&e)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, output)
			}
			entries = append(entries, e)
		}
	}
	return slices.DeleteFunc(entries, func(e bootctlEntry) bool { return e.Path == "" })
}
