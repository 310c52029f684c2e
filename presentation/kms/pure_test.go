package kms

import (
	"encoding/binary"
	"image"
	"testing"
)

func mode(w, h uint16, hz uint32, kind, flags uint32) modeInfo {
	return modeInfo{hdisplay: w, vdisplay: h, vrefresh: hz, kind: kind, flags: flags}
}

func TestChoose(t *testing.T) {
	panel := []modeInfo{
		mode(1920, 1080, 60, 0, flagInterlace),
		mode(1920, 1080, 60, 0, 0),
		mode(2560, 1440, 60, typePreferred, 0),
		mode(1024, 768, 60, 0, 0),
		mode(1024, 768, 75, 0, 0),
	}
	for _, c := range []struct {
		modes []modeInfo
		size  image.Point
		want  string
	}{
		{panel, image.Point{}, "2560x1440@60"},
		{panel, image.Pt(1024, 768), "1024x768@75"},
		{panel, image.Pt(1920, 1080), "1920x1080@60"},
		{panel, image.Pt(800, 600), "2560x1440@60"},
		{panel[3:], image.Pt(800, 600), "1024x768@60"}, // none is preferred: the first
		{panel[:1], image.Pt(1920, 1080), ""},
		{nil, image.Point{}, ""},
	} {
		got, ok := choose(c.modes, c.size)
		if ok != (c.want != "") || ok && got.label() != c.want || got.flags&flagInterlace != 0 {
			t.Errorf("%v: got %s, %v, want %s", c.size, got.label(), ok, c.want)
		}
	}
}

func event(kind, length uint32) []byte {
	b := make([]byte, max(length, eventHeader))
	binary.LittleEndian.PutUint32(b, kind)
	binary.LittleEndian.PutUint32(b[4:], length)
	return b
}

func TestParseEvents(t *testing.T) {
	flip := event(eventFlipComplete, eventFlipBytes)
	for _, c := range []struct {
		name  string
		bytes []byte
		flips int
		ok    bool
	}{
		{"none", nil, 0, true},
		{"two flips and a vblank", append(append(event(1, 32), flip...), flip...), 2, true},
		{"cut", flip[:eventFlipBytes-1], 0, false},
		{"a flip that is too short", event(eventFlipComplete, 16), 0, false},
		{"length 0", event(1, 0), 0, false},
		{"a few bytes", flip[:7], 0, false},
	} {
		if flips, err := parseEvents(c.bytes); flips != c.flips || (err == nil) != c.ok {
			t.Errorf("%s: %d, %v", c.name, flips, err)
		}
	}
}

func FuzzParseEvents(f *testing.F) {
	f.Add(event(eventFlipComplete, eventFlipBytes))
	f.Add(append(event(1, 32), event(eventFlipComplete, eventFlipBytes)...))
	f.Add(event(eventFlipComplete, 1<<31))
	f.Fuzz(func(t *testing.T, b []byte) {
		if flips, _ := parseEvents(b); flips*eventFlipBytes > len(b) {
			t.Errorf("%d flips in %d bytes", flips, len(b))
		}
	})
}

func TestIsHotplug(t *testing.T) {
	for message, want := range map[string]bool{
		"change@/devices/pci0000:00/0000:00:01.0/drm/card0\x00ACTION=change\x00SUBSYSTEM=drm\x00HOTPLUG=1\x00DEVNAME=dri/card0\x00": true,
		"change@/devices/pci0000:00/0000:00:01.0/drm/card0\x00ACTION=change\x00SUBSYSTEM=drm\x00LEASE=1\x00":                        false,
		"add@/devices/x\x00SUBSYSTEM=usb\x00HOTPLUG=1\x00":                                                                          false,
		"": false,
	} {
		if got := isHotplug([]byte(message)); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
}
