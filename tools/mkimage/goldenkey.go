package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rayos/rayboot/tools/mkimage/image"
)

// maxKeyBytes bounds the file of a key; one of Ed25519 has about 120 bytes.
const maxKeyBytes = 64 << 10

// readGoldenKey reads the key for golden snapshots from a PEM file.
func readGoldenKey(path string) (*image.GoldenKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read golden key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyBytes))
	if err != nil {
		return nil, fmt.Errorf("read golden key: %w", err)
	}
	key, err := decodeGoldenKey(text)
	if err != nil {
		return nil, fmt.Errorf("read golden key %s: %w", path, err)
	}
	return key, nil
}

// makeKey tells how to make one.
const makeKey = "make one with: openssl genpkey -algorithm ed25519 -out KEY.pem"

// decodeGoldenKey reads an Ed25519 key from PEM: a private one in PKCS #8 (RFC
// 8410 §7) or a public one in SubjectPublicKeyInfo (§4).
func decodeGoldenKey(text []byte) (*image.GoldenKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("it is no PEM file; %s", makeKey)
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		err = errors.New("it is encrypted; decrypt it in a safe place with: openssl pkey -in KEY.pem -out PLAIN.pem")
	default:
		err = fmt.Errorf("it holds a %s, not the PKCS #8 form of a key; %s", block.Type, makeKey)
	}
	if err != nil {
		return nil, err
	}
	return ed25519Key(key)
}

func ed25519Key(key any) (*image.GoldenKey, error) {
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return &image.GoldenKey{Public: k.Public().(ed25519.PublicKey), Private: k}, nil
	case ed25519.PublicKey:
		return &image.GoldenKey{Public: k}, nil
	}
	return nil, fmt.Errorf("it is a key of %s, not of Ed25519; %s", algorithm(key), makeKey)
}

// algorithm names what another key is for.
func algorithm(key any) string {
	switch key.(type) {
	case *rsa.PrivateKey, *rsa.PublicKey:
		return "RSA"
	case *ecdsa.PrivateKey, *ecdsa.PublicKey:
		return "ECDSA"
	}
	return fmt.Sprintf("another kind (%T)", key)
}
