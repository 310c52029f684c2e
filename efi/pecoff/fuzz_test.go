package pecoff

import (
	"bytes"
	"debug/elf"
	"testing"
)

// FuzzConvert: whatever the file, Convert ends with an error or with an image
// that Parse and debug/pe agree upon, that takes no more than the file
// explains, and that is the same every time.
func FuzzConvert(f *testing.F) {
	f.Add(newTinyELF().bytes(f))
	for _, change := range []func(*tinyELF){
		func(e *tinyELF) { e.dynamic[1].Val = 0 },
		func(e *tinyELF) { e.progs[progRelro].Memsz = 0 },
		func(e *tinyELF) { e.dynamic[0].Tag = int64(elf.DT_NEEDED) },
		func(e *tinyELF) {
			e.head.Machine = uint16(elf.EM_AARCH64)
			e.rela[0].Info, e.rela[1].Info = uint64(elf.R_AARCH64_RELATIVE), uint64(elf.R_AARCH64_RELATIVE)
		},
	} {
		e := newTinyELF()
		change(e)
		f.Add(e.bytes(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := Convert(bytes.NewReader(b), int64(len(b)), tinyOptions)
		if err != nil {
			return
		}
		const headers = 64 << 10 // of the image, its padding, .sbat
		if len(out) > 2*len(b)+headers {
			t.Errorf("%d bytes became %d", len(b), len(out))
		}
		img, err := Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		if img.Checksum != img.ComputeChecksum() {
			t.Errorf("checksum %#x, computed %#x", img.Checksum, img.ComputeChecksum())
		}
		checkAgainstStd(t, out, img)
		again, err := Convert(bytes.NewReader(b), int64(len(b)), tinyOptions)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("converting again: error %v, equal %t", err, bytes.Equal(out, again))
		}
	})
}

// FuzzParse: whatever the file, Parse ends with an error or with an image whose
// parts can all be used, and which debug/pe sees in the same way.
func FuzzParse(f *testing.F) {
	b := tinyEFI(f)
	f.Add(b)
	f.Add(b[:0x400])
	f.Add(b[:len(b)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := Parse(b)
		if err != nil {
			return
		}
		if len(img.Sections) > maxImageSections || len(img.Signatures) > len(b) {
			t.Errorf("%d sections, %d bytes of signatures", len(img.Sections), len(img.Signatures))
		}
		for _, s := range img.Sections {
			if data := img.Data(s); len(data) > int(s.Size) || !bytes.HasPrefix(b[s.Offset:], data) {
				t.Errorf("section %+v has %d other bytes", s, len(data))
			}
		}
		img.ComputeChecksum()
		checkAgainstStd(t, b, img)
	})
}

// FuzzAddSection: whatever the file, AddSection ends with an error or with an
// image that has the section, in the file and in memory, and is otherwise as it
// was.
func FuzzAddSection(f *testing.F) {
	b := tinyEFI(f)
	f.Add(b)
	f.Add(b[:len(b)-1])
	added, err := AddSection(b, ".other", []byte("other"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(added)
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := AddSection(b, addedName, []byte(addedText))
		if err != nil {
			return
		}
		if len(out) > len(b)+len(addedText)+2*maxAlign {
			t.Errorf("%d bytes became %d", len(b), len(out))
		}
		checkAdded(t, b, out)
	})
}

// FuzzLoadedSection: whatever the memory holds, LoadedSection ends with an error
// or with bytes that lie in it.
func FuzzLoadedSection(f *testing.F) {
	added, err := AddSection(tinyEFI(f), addedName, []byte(addedText))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(loaded(f, added))
	f.Add(added)
	f.Add(added[:0x400])
	f.Fuzz(func(t *testing.T, memory []byte) {
		data, found, err := LoadedSection(memory, addedName)
		switch {
		case err != nil && (found || data != nil):
			t.Errorf("%d bytes with error %v", len(data), err)
		case found && (len(data) > len(memory) || !bytes.Contains(memory, data)):
			t.Errorf("%d bytes that are not in memory", len(data))
		}
	})
}
