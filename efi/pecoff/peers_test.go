package pecoff

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/elf"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tool runs a program of another project and returns all that it says.
func tool(t *testing.T, debian, name string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("this test needs %s; install it with: apt-get install %s", name, debian)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

func mustTool(t *testing.T, debian, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, debian, name, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestObjdumpReadsTheImage(t *testing.T) {
	h := helloFor(t, "amd64")
	file := writeFile(t, "hello.efi", h.efi)
	headers := mustTool(t, "binutils", "objdump", "-p", file)
	for _, want := range []string{"file format pei-x86-64", "(EFI application)", "NX_COMPAT", "DYNAMIC_BASE", "HIGH_ENTROPY_VA"} {
		if !strings.Contains(headers, want) {
			t.Errorf("objdump says nothing of %s", want)
		}
	}
	f, err := elf.NewFile(bytes.NewReader(h.elf))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(headers, " DIR64"), int(f.Section(".rela").Size/24); got != want {
		t.Errorf("objdump sees %d relocations, the program has %d", got, want)
	}
	entry := elfSymbol(t, h.elf, "_rt0_amd64_uefi")
	code := mustTool(t, "binutils", "objdump", "-d", fmt.Sprintf("--start-address=%#x", entry), fmt.Sprintf("--stop-address=%#x", entry+3), file)
	if !strings.Contains(code, "xor    %eax,%eax") || !strings.Contains(code, "ret") {
		t.Errorf("objdump sees other code at the entry:\n%s", code)
	}
}

// makeKey writes a throw-away key and its certificate, as sbsign reads them.
func makeKey(t *testing.T) (keyFile, certFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "throw-away"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	return writeFile(t, "key.pem", private), writeFile(t, "cert.pem", public)
}

func TestSignedImageVerifies(t *testing.T) {
	h := helloFor(t, "amd64")
	key, cert := makeKey(t)
	_, otherCert := makeKey(t)
	unsigned := writeFile(t, "hello.efi", h.efi)
	signed := filepath.Join(t.TempDir(), "signed.efi")
	if out := mustTool(t, "sbsigntool", "sbsign", "--key", key, "--cert", cert, "--output", signed, unsigned); strings.Contains(out, "warning") {
		t.Errorf("sbsign is not content with the image:\n%s", out)
	}
	if out, err := tool(t, "sbsigntool", "sbverify", "--cert", cert, unsigned); err == nil {
		t.Errorf("the unsigned image verifies:\n%s", out)
	}
	mustTool(t, "sbsigntool", "sbverify", "--cert", cert, signed)
	if out, err := tool(t, "sbsigntool", "sbverify", "--cert", otherCert, signed); err == nil {
		t.Errorf("the image verifies with a foreign certificate:\n%s", out)
	}
	b, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Signatures) == 0 {
		t.Error("the signed image has no signature")
	}
	// sbsign computes the checksum with code of its own.
	if img.ComputeChecksum() != img.Checksum {
		t.Errorf("checksum %#x, sbsign computed %#x", img.ComputeChecksum(), img.Checksum)
	}
	if _, err := Parse(b[:len(b)-1]); err == nil {
		t.Error("a cut signature was accepted")
	}
	b[len(b)/2] ^= 1
	if out, err := tool(t, "sbsigntool", "sbverify", "--cert", cert, writeFile(t, "changed.efi", b)); err == nil {
		t.Errorf("a changed image verifies:\n%s", out)
	}
}

// TestParseReadsAnImageWithAddedSections adds sections as the tools for unified
// kernel images do.
func TestParseReadsAnImageWithAddedSections(t *testing.T) {
	h := helloFor(t, "amd64")
	before, err := Parse(h.efi)
	if err != nil {
		t.Fatal(err)
	}
	cmdline := []byte("console=ttyS0 quiet")
	out := filepath.Join(t.TempDir(), "uki.efi")
	mustTool(t, "binutils", "objcopy",
		"--add-section", ".cmdline="+writeFile(t, "cmdline", cmdline), "--set-section-flags", ".cmdline=data,readonly",
		"--change-section-vma", fmt.Sprintf(".cmdline=%#x", before.Base+uint64(before.MemorySize)),
		writeFile(t, "hello.efi", h.efi), out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := img.Section(".cmdline")
	if !ok || !bytes.Equal(img.Data(s), cmdline) {
		t.Errorf(".cmdline holds %q", img.Data(s))
	}
	text, _ := img.Section(".text")
	textBefore, _ := before.Section(".text")
	if !bytes.Equal(img.Data(text), before.Data(textBefore)) {
		t.Error(".text has changed")
	}
}
