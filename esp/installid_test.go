package esp

import (
	"strings"
	"testing"
)

func TestInstallID(t *testing.T) {
	const id = "0f9d2bd0-6c1f-4e2a-9b63-1f3c5a7e9d01"
	data, err := FormatInstallID(strings.ToUpper(id))
	if err != nil || string(data) != id+"\n" {
		t.Errorf("FormatInstallID = %q, %v", data, err)
	}
	for _, text := range []string{id, id + "\n", id + "\r\n", strings.ToUpper(id) + "\n"} {
		if got, err := ParseInstallID([]byte(text)); err != nil || got != id {
			t.Errorf("ParseInstallID(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "\n", id[1:], id + "0", " " + id, id + "\nmore", "{" + id + "}", strings.ReplaceAll(id, "-", "0"),
		strings.Replace(id, "f", "g", 1), id + strings.Repeat("\n", 100),
	} {
		if got, err := ParseInstallID([]byte(text)); err == nil {
			t.Errorf("ParseInstallID(%q) = %q, want an error", text, got)
		}
		if text != id && strings.TrimSpace(text) == text {
			if got, err := FormatInstallID(text); err == nil {
				t.Errorf("FormatInstallID(%q) = %q, want an error", text, got)
			}
		}
	}
}

func FuzzParseInstallID(f *testing.F) {
	f.Add([]byte("0F9D2BD0-6c1f-4e2a-9b63-1f3c5a7e9d01\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := ParseInstallID(data)
		if err != nil {
			return
		}
		text, err := FormatInstallID(id)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseInstallID(text); err != nil || again != id {
			t.Errorf("%q is written as %q and read as %q, %v", id, text, again, err)
		}
	})
}
