package golden

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// abc is the one-block example of FIPS 180-4.
const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

func TestDigestText(t *testing.T) {
	d, err := ParseDigest(abc)
	if err != nil {
		t.Fatal(err)
	}
	if d != Sum([]byte("abc")) || d.String() != abc {
		t.Errorf("digest of abc: %s, want %s", Sum([]byte("abc")), abc)
	}
	if text, err := json.Marshal(d); err != nil || string(text) != `"`+abc+`"` {
		t.Errorf("as JSON %s, %v", text, err)
	}
	if upper, err := ParseDigest(strings.ToUpper(abc)); err != nil || upper != d {
		t.Errorf("upper case: %s, %v", upper, err)
	}
	for _, bad := range []string{"", abc[1:], abc + "0", "g" + abc[1:]} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("ParseDigest(%q) succeeds", bad)
		}
	}
}

func TestVerifyNoticesEveryFlippedBit(t *testing.T) {
	image := []byte("a kernel, as far as this test goes")
	want := Sum(image)
	if err := want.Verify("kernel", Sum(image)); err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(image) {
		image[bit/8] ^= 1 << (bit % 8)
		var mismatch *MismatchError
		if err := want.Verify("kernel", Sum(image)); !errors.As(err, &mismatch) || mismatch.Image != "kernel" {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
		image[bit/8] ^= 1 << (bit % 8)
	}
}
