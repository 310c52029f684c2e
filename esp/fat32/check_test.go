package fat32

import (
	"encoding/binary"
	"slices"
	"testing"
)

// TestCheckFindsDamage damages one thing at a time.
func TestCheckFindsDamage(t *testing.T) {
	le := binary.LittleEndian
	good := smallVolume(t, 128<<10, smallFiles())
	f, err := Open(good, int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	find := func(path string) dirent {
		d, err := f.lookup(path)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	boot, loader, conf := find("EFI/BOOT/BOOTX64.EFI"), find("loader"), find("loader/loader.conf")
	setFAT := func(m memory, n, value uint32) {
		for i := range int64(2) {
			le.PutUint32(m[f.fatOffset(i)+int64(n)*4:], value)
		}
	}
	// short finds the stored entry of a file by its first cluster.
	short := func(m memory, dir, first uint32) []byte {
		for off := f.clusterOffset(dir); ; off += direntBytes {
			if e := m[off:][:direntBytes]; e[11] != attrLong && uint32(le.Uint16(e[26:])) == first && e[0] != '.' {
				return e
			}
		}
	}
	tests := []struct {
		name   string
		damage func(memory)
		want   string
	}{
		{"backup boot sector", func(m memory) { m[6*512+100] ^= 1 }, "fat-backup-boot"},
		{"no backup boot sector", func(m memory) { m[50] = 0 }, "fat-backup-boot"},
		{"info signature", func(m memory) { m[512] ^= 1 }, "fat-fsinfo"},
		{"free count", func(m memory) { m[512+488]++ }, "fat-fsinfo"},
		{"next free", func(m memory) { m[512+495] = 0x0f }, "fat-fsinfo"},
		{"no info sector", func(m memory) { m[48], m[6*512+48] = 0, 0 }, "fat-fsinfo"},
		{"one FAT", func(m memory) { m[f.fatOffset(1)+400] ^= 1 }, "fat-copies-differ"},
		{"media", func(m memory) { m[f.fatOffset(0)+1] = 0 }, "fat-media"},
		{"mounted", func(m memory) { m[65] |= 1 }, "fat-dirty"},
		{"dirty", func(m memory) { setFAT(m, 1, endOfChain&^cleanBit) }, "fat-dirty"},
		{"I/O error", func(m memory) { setFAT(m, 1, endOfChain&^noErrorBit) }, "fat-io-error"},
		{"I/O error, and dirty", func(m memory) { setFAT(m, 1, endOfChain&^noErrorBit&^cleanBit) }, "fat-io-error"},
		{"lost cluster", func(m memory) { setFAT(m, uint32(f.clusters), endOfChain) }, "fat-lost-clusters"},
		{"chain to nowhere", func(m memory) { setFAT(m, boot.first, 0x0ffffff0) }, "fat-chain"},
		{"chain to a free cluster", func(m memory) { setFAT(m, boot.first, 0) }, "fat-chain"},
		{"loop", func(m memory) { setFAT(m, boot.first+1, boot.first) }, "fat-cross-link"},
		{"chain too short", func(m memory) { setFAT(m, boot.first, endOfChain) }, "fat-size"},
		{"chain too long", func(m memory) { setFAT(m, conf.first, uint32(f.clusters)); setFAT(m, uint32(f.clusters), endOfChain) }, "fat-size"},
		{"cross link", func(m memory) { le.PutUint16(short(m, loader.first, conf.first)[26:], uint16(boot.first)) }, "fat-cross-link"},
		{"size too large", func(m memory) { le.PutUint32(short(m, loader.first, conf.first)[28:], 70000) }, "fat-size"},
		{"size zero", func(m memory) { le.PutUint32(short(m, loader.first, conf.first)[28:], 0) }, "fat-size"},
		{"directory with a size", func(m memory) { short(m, f.boot.root, loader.first)[28] = 1 }, "fat-entry"},
		{"dot", func(m memory) { m[f.clusterOffset(loader.first)+26]++ }, "fat-dots"},
		{"dot dot", func(m memory) { m[f.clusterOffset(loader.first)+32+26] = 2 }, "fat-dots"},
		{"no dots", func(m memory) { m[f.clusterOffset(loader.first)] = 'X' }, "fat-dots"},
		{"directory is the root", func(m memory) { le.PutUint16(short(m, f.boot.root, loader.first)[26:], 2) }, "fat-cross-link"},
		{"long name without file", func(m memory) { short(m, loader.first, conf.first)[0] = entryFree }, "fat-orphan"},
		{"long name of another", func(m memory) { short(m, loader.first, conf.first)[0] = 'Q' }, "fat-orphan"},
		{"same name", func(m memory) { copy(short(m, f.boot.root, loader.first)[:11], "EFI        ") }, "fat-duplicate"},
		{"label in a directory", func(m memory) { short(m, loader.first, conf.first)[11] = attrVolume }, "fat-entry"},
	}
	codes := func(m memory) (list []string) {
		findings, err := Check(m, int64(len(m)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Code != "fat-too-small" { // the test volume is
				list = append(list, f.Code)
			}
		}
		return list
	}
	if got := codes(good); len(got) > 0 {
		t.Fatalf("undamaged volume: %v", got)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := slices.Clone(good)
			test.damage(m)
			if got := codes(m); !slices.Contains(got, test.want) {
				t.Errorf("findings %v, want %s", got, test.want)
			}
		})
	}
}

// TestFindingsAreBounded damages everything.
func TestFindingsAreBounded(t *testing.T) {
	var files []File
	for i := range 200 {
		files = append(files, Bytes("some long name "+string(rune('a'+i%26))+string(rune('a'+i/26)), []byte("x")))
	}
	m := smallVolume(t, 512<<10, files)
	f, err := Open(m, int64(len(m)))
	if err != nil {
		t.Fatal(err)
	}
	root, err := f.lookup(".")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := f.list(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		binary.LittleEndian.PutUint32(m[f.fatOffset(0)+int64(e.first)*4:], 1)
	}
	findings, err := Check(m, int64(len(m)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(findings); n != maxFindings || findings[n-1].Code != "fat-more" {
		t.Errorf("%d findings, the last is %v", n, findings[n-1])
	}
}
