package fbdev

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rayos/rayboot/presentation"
)

func offset[T any](field string) uintptr {
	f, _ := reflect.TypeFor[T]().FieldByName(field)
	return f.Offset
}

// TestLayout holds sizes and offsets against what a C compiler makes of Linux's own header.
func TestLayout(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"fb_fix_screeninfo", reflect.TypeFor[fixInfo]().Size(), 80},
		{"fb_fix_screeninfo.smem_len", offset[fixInfo]("smemLen"), 24},
		{"fb_fix_screeninfo.type", offset[fixInfo]("kind"), 28},
		{"fb_fix_screeninfo.visual", offset[fixInfo]("visual"), 36},
		{"fb_fix_screeninfo.line_length", offset[fixInfo]("lineLength"), 48},
		{"fb_var_screeninfo", reflect.TypeFor[varInfo]().Size(), 160},
		{"fb_var_screeninfo.xoffset", offset[varInfo]("xoffset"), 16},
		{"fb_var_screeninfo.bits_per_pixel", offset[varInfo]("bitsPerPixel"), 24},
		{"fb_var_screeninfo.red", offset[varInfo]("red"), 32},
		{"fb_var_screeninfo.green", offset[varInfo]("green"), 44},
		{"fb_var_screeninfo.blue", offset[varInfo]("blue"), 56},
		{"fb_var_screeninfo.transp", offset[varInfo]("transparent"), 68},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, the kernel has %d", c.what, c.got, c.want)
		}
	}
}

// efi is what the kernel says of a frame buffer of the firmware.
func efi() (fixInfo, varInfo) {
	return fixInfo{visual: trueColor, smemLen: 1280 * 800 * 4, lineLength: 1280 * 4}, varInfo{
		xres: 1280, yres: 800, bitsPerPixel: 32,
		red: bitField{offset: 16, length: 8}, green: bitField{offset: 8, length: 8}, blue: bitField{offset: 0, length: 8}, transparent: bitField{offset: 24, length: 8},
	}
}

func TestUnderstand(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fixInfo, *varInfo)
		want   string // error; "" for none
		format presentation.Format
	}{
		"EFI":     {func(*fixInfo, *varInfo) {}, "", presentation.BGRX},
		"RGB":     {func(_ *fixInfo, v *varInfo) { v.red.offset, v.blue.offset = 0, 16 }, "", presentation.RGBX},
		"24 bits": {func(_ *fixInfo, v *varInfo) { v.bitsPerPixel = 24 }, "", presentation.BGR},
		"16 bits": {func(_ *fixInfo, v *varInfo) {
			v.bitsPerPixel, v.red.offset, v.green, v.blue.offset = 16, 11, bitField{offset: 5, length: 6}, 0
		}, "", presentation.RGB565},
		"8 bits":     {func(_ *fixInfo, v *varInfo) { v.bitsPerPixel = 8 }, "pixels of 8 bits", 0},
		"a palette":  {func(f *fixInfo, _ *varInfo) { f.visual = 3 }, "visual 3", 0},
		"no size":    {func(_ *fixInfo, v *varInfo) { v.xres = 0 }, "no size", 0},
		"huge":       {func(_ *fixInfo, v *varInfo) { v.yres = 1 << 31 }, "no size", 0},
		"short rows": {func(f *fixInfo, _ *varInfo) { f.lineLength = 1280*4 - 1 }, "do not fit", 0},
		"no memory":  {func(f *fixInfo, _ *varInfo) { f.smemLen-- }, "do not fit", 0},
		"panned":     {func(_ *fixInfo, v *varInfo) { v.yoffset = 1 }, "do not fit", 0},
	} {
		fix, v := efi()
		c.change(&fix, &v)
		s := &Screen{}
		err := s.understand(&fix, &v)
		if c.want == "" && (err != nil || s.target.Format != c.format) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, %v", name, s.target.Format, err)
		}
	}
}
