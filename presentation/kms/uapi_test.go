package kms

import (
	"reflect"
	"testing"

	"github.com/rayos/rayboot/presentation/ioctl"
)

func offset[T any](field string) uintptr {
	f, _ := reflect.TypeFor[T]().FieldByName(field)
	return f.Offset
}

// TestLayout holds sizes, offsets and request numbers against what a C compiler makes of Linux's own headers.
func TestLayout(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"drm_version", reflect.TypeFor[version]().Size(), 64},
		{"drm_version.name_len", offset[version]("nameLen"), 16},
		{"drm_version.name", offset[version]("name"), 24},
		{"drm_get_cap", reflect.TypeFor[getCap]().Size(), 16},
		{"drm_mode_card_res", reflect.TypeFor[cardRes]().Size(), 64},
		{"drm_mode_card_res.crtc_id_ptr", offset[cardRes]("crtcs"), 8},
		{"drm_mode_card_res.connector_id_ptr", offset[cardRes]("connectors"), 16},
		{"drm_mode_card_res.count_fbs", offset[cardRes]("countFBs"), 32},
		{"drm_mode_card_res.min_width", offset[cardRes]("minWidth"), 48},
		{"drm_mode_card_res.max_height", offset[cardRes]("maxHeight"), 60},
		{"drm_mode_modeinfo", reflect.TypeFor[modeInfo]().Size(), 68},
		{"drm_mode_modeinfo.hdisplay", offset[modeInfo]("hdisplay"), 4},
		{"drm_mode_modeinfo.vdisplay", offset[modeInfo]("vdisplay"), 14},
		{"drm_mode_modeinfo.vrefresh", offset[modeInfo]("vrefresh"), 24},
		{"drm_mode_modeinfo.flags", offset[modeInfo]("flags"), 28},
		{"drm_mode_modeinfo.type", offset[modeInfo]("kind"), 32},
		{"drm_mode_modeinfo.name", offset[modeInfo]("name"), 36},
		{"drm_mode_get_connector", reflect.TypeFor[getConnector]().Size(), 80},
		{"drm_mode_get_connector.modes_ptr", offset[getConnector]("modes"), 8},
		{"drm_mode_get_connector.props_ptr", offset[getConnector]("props"), 16},
		{"drm_mode_get_connector.count_modes", offset[getConnector]("countModes"), 32},
		{"drm_mode_get_connector.encoder_id", offset[getConnector]("encoder"), 44},
		{"drm_mode_get_connector.connector_id", offset[getConnector]("connector"), 48},
		{"drm_mode_get_connector.connection", offset[getConnector]("connection"), 60},
		{"drm_mode_get_connector.mm_width", offset[getConnector]("mmWidth"), 64},
		{"drm_mode_get_encoder", reflect.TypeFor[getEncoder]().Size(), 20},
		{"drm_mode_get_encoder.crtc_id", offset[getEncoder]("crtc"), 8},
		{"drm_mode_get_encoder.possible_crtcs", offset[getEncoder]("possibleCRTCs"), 12},
		{"drm_mode_crtc", reflect.TypeFor[setCRTC]().Size(), 104},
		{"drm_mode_crtc.count_connectors", offset[setCRTC]("countConnectors"), 8},
		{"drm_mode_crtc.crtc_id", offset[setCRTC]("crtc"), 12},
		{"drm_mode_crtc.fb_id", offset[setCRTC]("fb"), 16},
		{"drm_mode_crtc.gamma_size", offset[setCRTC]("gammaSize"), 28},
		{"drm_mode_crtc.mode", offset[setCRTC]("mode"), 36},
		{"drm_mode_create_dumb", reflect.TypeFor[createDumb]().Size(), 32},
		{"drm_mode_create_dumb.bpp", offset[createDumb]("bpp"), 8},
		{"drm_mode_create_dumb.handle", offset[createDumb]("handle"), 16},
		{"drm_mode_create_dumb.pitch", offset[createDumb]("pitch"), 20},
		{"drm_mode_create_dumb.size", offset[createDumb]("size"), 24},
		{"drm_mode_map_dumb", reflect.TypeFor[mapDumb]().Size(), 16},
		{"drm_mode_map_dumb.offset", offset[mapDumb]("offset"), 8},
		{"drm_mode_destroy_dumb", reflect.TypeFor[destroyDumb]().Size(), 4},
		{"drm_mode_fb_cmd", reflect.TypeFor[addFB]().Size(), 28},
		{"drm_mode_fb_cmd.pitch", offset[addFB]("pitch"), 12},
		{"drm_mode_fb_cmd.depth", offset[addFB]("depth"), 20},
		{"drm_mode_fb_cmd.handle", offset[addFB]("handle"), 24},
		{"drm_mode_crtc_page_flip", reflect.TypeFor[pageFlip]().Size(), 24},
		{"drm_mode_crtc_page_flip.flags", offset[pageFlip]("flags"), 8},
		{"drm_mode_crtc_page_flip.user_data", offset[pageFlip]("userData"), 16},
		{"drm_mode_fb_dirty_cmd", reflect.TypeFor[dirtyFB]().Size(), 24},
		{"drm_mode_fb_dirty_cmd.num_clips", offset[dirtyFB]("countClips"), 12},
		{"drm_mode_fb_dirty_cmd.clips_ptr", offset[dirtyFB]("clips"), 16},
		{"drm_clip_rect", reflect.TypeFor[clipRect]().Size(), 8},
		{"drm_mode_cursor2", reflect.TypeFor[cursor2]().Size(), 36},
		{"drm_mode_cursor2.handle", offset[cursor2]("handle"), 24},
		{"drm_mode_cursor2.hot_x", offset[cursor2]("hotX"), 28},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, the kernel has %d", c.what, c.got, c.want)
		}
	}
	for want, got := range map[ioctl.Request]ioctl.Request{
		0xc0406400: ioVersion, 0xc010640c: ioGetCap, 0x641e: ioSetMaster, 0xc04064a0: ioGetResources,
		0xc06864a1: ioGetCRTC, 0xc06864a2: ioSetCRTC, 0xc01464a6: ioGetEncoder, 0xc05064a7: ioGetConnector,
		0xc01c64ae: ioAddFB, 0xc00464af: ioRmFB, 0xc01864b0: ioPageFlip, 0xc01864b1: ioDirtyFB,
		0xc02064b2: ioCreateDumb, 0xc01064b3: ioMapDumb, 0xc00464b4: ioDestroyDumb, 0xc02464bb: ioCursor2,
	} {
		if got != want {
			t.Errorf("request %#x, the kernel has %#x", uint32(got), uint32(want))
		}
	}
}
