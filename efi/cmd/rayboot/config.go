package main

import (
	"cmp"
	"strconv"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/esp"
)

// defaultTimeoutSeconds is how long the menu is shown if nobody says otherwise.
const defaultTimeoutSeconds = 5

// config puts together what loader.conf, the boot-state record and the Boot
// Loader Interface say. The last wins, as a person or the last system set it on
// this machine; ordered is the default that the record has. keys tells whether a
// key brings up a menu that is not shown by itself. setup is whether the firmware
// can enter its own.
func (m *manager) config(conf esp.LoaderConf, w wishes, ordered string, setup bool) (c bootmenu.Config, keys bool) {
	keys = conf.Menu != esp.MenuDisabled
	// Whether Secure Boot is on is not known when it cannot be read: locked.
	secure, err := m.sys.SecureBoot()
	return bootmenu.Config{
		TimeoutSeconds: timeout(conf, cmp.Or(w.timeoutOneShot, w.timeout)),
		Default:        cmp.Or(w.defaultEntry, ordered, conf.Default),
		OneShot:        w.oneShot,
		Editor:         !conf.NoEditor && !secure && err == nil,
		Setup:          setup,
		Heading:        heading,
	}, keys
}

// timeout is how long the menu is shown, in seconds.
func timeout(conf esp.LoaderConf, wish string) int {
	switch wish {
	case "":
	case "menu-force":
		return bootmenu.WaitForever
	case "menu-hidden", "menu-disabled":
		return 0
	default:
		if n, err := strconv.ParseUint(wish, 10, 16); err == nil {
			return int(n)
		}
	}
	switch conf.Menu {
	case esp.MenuTimeout:
		return conf.TimeoutSeconds
	case esp.MenuForce:
		return bootmenu.WaitForever
	case esp.MenuHidden, esp.MenuDisabled:
		return 0
	default:
		return defaultTimeoutSeconds
	}
}
