package showhost

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/tools/mkimage/apt"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

// Reference is QEMU's own vhost-user-gpu back-end, which is written in C.
type Reference struct{ dir string }

// referencePackage has the program. What it depends on has a desktop in it, so only
// what the program itself needs is fetched.
const referencePackage = "qemu-system-gui"

var referenceLibraries = []string{"libvirglrenderer1", "libglib2.0-0", "libnuma1", "libpixman-1-0"}

// FetchReference unpacks the program and its libraries into a folder.
func FetchReference(ctx context.Context, dir string) (Reference, error) {
	root, err := treecache.Dir("")
	if err != nil {
		return Reference{}, err
	}
	archive, err := apt.Open(ctx, filepath.Join(root, "apt-"+apt.Codename))
	if err != nil {
		return Reference{}, err
	}
	defer archive.Close()
	files, err := archive.Download(ctx, referenceLibraries, func(int64) {})
	if err != nil {
		return Reference{}, err
	}
	program, err := archive.Alone(ctx, referencePackage)
	if err != nil {
		return Reference{}, err
	}
	for _, f := range append(files, program) {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", f, dir).CombinedOutput(); err != nil {
			return Reference{}, fmt.Errorf("unpack %s: %w: %s", f, err, out)
		}
	}
	return Reference{dir}, nil
}

// Start starts it for one QEMU that comes to the socket.
func (r Reference) Start(ctx context.Context, socket string) (*Machine, error) {
	libraries := filepath.Join(r.dir, "lib/x86_64-linux-gnu")
	args := []string{
		filepath.Join(libraries, filepath.Base(guest.LoaderPath)), "--library-path", libraries + ":" + filepath.Join(r.dir, "usr/lib/x86_64-linux-gnu"),
		filepath.Join(r.dir, "usr/lib/qemu/vhost-user-gpu"), "--socket-path=" + socket,
	}
	m := &Machine{Cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	m.Cmd.Env = append(os.Environ(), "G_MESSAGES_DEBUG=all")
	m.Cmd.Stdout, m.Cmd.Stderr = m, m
	if err := m.Cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reference: %w", err)
	}
	return m, nil
}
