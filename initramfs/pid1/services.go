package pid1

import (
	"encoding/json"
	"path/filepath"

	"github.com/rayos/rayboot/initramfs/packet"
)

// ServicesSocket is where process 1 listens for the command services, below the
// machine's root. Whatever it is asked, it answers with its services in JSON.
const ServicesSocket = "run/rayos/services.sock"

// serveServices answers the command services until the machine is off.
func (b *boot) serveServices() {
	listener, err := packet.Listen(filepath.Join(b.root, ServicesSocket))
	if err != nil {
		b.warn("%v; the command services does not work", err)
		return
	}
	go func() {
		err := listener.Serve(func([]byte) []byte {
			answer, err := json.Marshal(b.services.States())
			if err != nil {
				panic(err) // states can be marshalled
			}
			return answer
		})
		if err != nil {
			b.warn("command services: %v", err)
		}
	}()
}
