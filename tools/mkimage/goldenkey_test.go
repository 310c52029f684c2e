package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func pemKey(t testing.TB, key any) []byte {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}

func pemPublicKey(t testing.TB, key any) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b})
}

func TestDecodeGoldenKey(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := private.Public().(ed25519.PublicKey)
	key, err := decodeGoldenKey(pemKey(t, private))
	if err != nil || !key.Private.Equal(private) || !key.Public.Equal(public) {
		t.Errorf("private: %v", err)
	}
	key, err = decodeGoldenKey(append([]byte("a comment\n"), pemPublicKey(t, public)...))
	if err != nil || key.Private != nil || !key.Public.Equal(public) {
		t.Errorf("public: %v", err)
	}
	other, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for says, text := range map[string][]byte{
		"it is no PEM file":                {},
		"not of Ed25519":                   pemKey(t, other),
		"another kind":                     pemPublicKey(t, other.PublicKey()),
		"it holds a CERTIFICATE":           pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}),
		"it holds a OPENSSH PRIVATE KEY":   pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY"}),
		"asn1: syntax error":               pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{0x30}}),
		"it is encrypted; decrypt it in a": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"}),
	} {
		if key, err := decodeGoldenKey(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v, %v", says, key, err)
		}
	}
}

// FuzzDecodeGoldenKey: whatever the file, it is an error or a whole key, whose
// parts belong together.
func FuzzDecodeGoldenKey(f *testing.F) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	f.Add(pemKey(f, private))
	f.Add(pemPublicKey(f, private.Public()))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := decodeGoldenKey(text)
		switch {
		case err != nil && key != nil:
			t.Errorf("%v with error %v", key, err)
		case err != nil:
		case len(key.Public) != ed25519.PublicKeySize:
			t.Errorf("a public key of %d bytes", len(key.Public))
		case key.Private != nil && !bytes.Equal(key.Private.Public().(ed25519.PublicKey), key.Public):
			t.Error("the private key is another's")
		}
	})
}
