// Package apt asks Debian's apt-get for packages without installing any: in folders
// of its own, so that what apt knows and does on this machine is not changed, and
// without privileges. apt checks Debian's signatures.
package apt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Codename is the Debian release that the packages are of.
const Codename = "bookworm"

// Backports is the suite that is preferred where a package is in several.
const Backports = Codename + "-backports"

// ErrUnavailable is matched by the errors that mean: this machine cannot get the
// packages now.
var ErrUnavailable = errors.New("packages unavailable")

// Archive is apt with folders of its own. One process at a time has it.
type Archive struct {
	dir  string
	lock *os.File
}

// folders that apt wants to find.
var folders = []string{"lists/partial", "cache/archives/partial"}

// Open prepares apt's folders in dir and fetches the signed indexes.
func Open(ctx context.Context, dir string) (_ *Archive, err error) {
	if strings.ContainsAny(dir, "\"\n") {
		return nil, fmt.Errorf("apt cannot work in %q; use another place by XDG_CACHE_HOME", dir)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("%w: apt-get is not on this machine: run rayimg on a Debian, and take the folder rayimg/qemu of its cache here", ErrUnavailable)
	}
	for _, f := range folders {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o755); err != nil {
			return nil, fmt.Errorf("%w; use another place by XDG_CACHE_HOME", err)
		}
	}
	a := &Archive{dir: dir}
	if a.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return nil, err
	}
	if err := unix.Flock(int(a.lock.Fd()), unix.LOCK_EX); err != nil {
		a.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := a.configure(ctx); err != nil {
		a.Close()
		return nil, err
	}
	if err := a.run(ctx, "update"); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Close lets the next process use the folders.
func (a *Archive) Close() { _ = a.lock.Close() } // nothing was written to it

// configure writes what makes apt-get stay in its folders, and the sources.
func (a *Archive) configure(ctx context.Context) error {
	lines, err := Sources(ctx)
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(aptConfig, "DIR", a.dir)
	return errors.Join(
		os.WriteFile(filepath.Join(a.dir, "apt.conf"), []byte(text), 0o644),
		os.WriteFile(filepath.Join(a.dir, "sources.list"), []byte(strings.Join(lines, "\n")+"\n"), 0o644),
		os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o644),
	)
}

// aptConfig makes DIR the only place where apt-get writes. What this machine says
// about proxies still holds. No package is installed in status, so that apt
// fetches all that is needed, whatever this machine has.
const aptConfig = `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Default-Release "bookworm-backports";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Dir::Etc::SourceList "DIR/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "DIR";
Dir::State::Lists "DIR/lists";
Dir::State::status "DIR/status";
Dir::Cache "DIR/cache";
Dir::Cache::Archives "DIR/cache/archives";
Dir::Log "DIR";
`

// keyring is Debian's on a Debian; elsewhere apt's own keys have to do.
func keyring() string {
	const debian = "/usr/share/keyrings/debian-archive-keyring.gpg"
	if _, err := os.Stat(debian); err != nil {
		return ""
	}
	return debian
}

// Sources are lines for sources.list: Debian's suites of the release and its backports, from
// where this machine has its own packages.
func Sources(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return nil, fmt.Errorf("%w: apt-get indextargets: %w", ErrUnavailable, err)
	}
	return sources(string(out), keyring())
}

// sources makes the lines of sources.list out of what apt-get indextargets said:
// the machine's own suites of the release, and backports from the same mirror.
func sources(targets, key string) ([]string, error) {
	options := ""
	if key != "" {
		options = "[signed-by=" + key + "] "
	}
	var lines []string
	add := func(uri, suite string) {
		if line := "deb " + options + uri + " " + suite + " main"; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for line := range strings.Lines(targets) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 3 || f[2] != "main" || strings.ContainsAny(f[0], " \t[]") {
			continue
		}
		switch f[1] {
		case Codename:
			add(f[0], Codename)
			add(f[0], Backports)
		case Codename + "-updates", Codename + "-security":
			add(f[0], f[1])
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%w: the apt sources of this machine name no mirror of Debian's %s (main): run rayimg on a Debian 12", ErrUnavailable, Codename)
	}
	return lines, nil
}

// run runs apt-get with the private folders.
func (a *Archive) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-c", filepath.Join(a.dir, "apt.conf"), "-q", "-y"}, args...)...)
	cmd.Dir = a.archives() // where apt-get download puts files
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w: apt-get %s: %w; check the network and try again\napt-get said: %s", ErrUnavailable, args[0], err, LastLines(output.String()))
	}
	return nil
}

// archives is where the files of packages come to.
func (a *Archive) archives() string { return filepath.Join(a.dir, "cache/archives") }

// Alone fetches one package without what it depends on, and returns its file. It is
// called after Download, which removes what is there.
func (a *Archive) Alone(ctx context.Context, name string) (string, error) {
	if err := a.run(ctx, "download", name); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(a.archives(), name+"_*.deb"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("apt-get download %s has brought %d files: %w", name, len(files), errors.Join(ErrUnavailable, err))
	}
	return files[0], nil
}

// Download fetches the packages and all that they depend on, and returns the
// files. progress is told the bytes that are there.
func (a *Archive) Download(ctx context.Context, packages []string, progress func(int64)) ([]string, error) {
	folder := a.archives()
	old, err := filepath.Glob(filepath.Join(folder, "*.deb"))
	if err != nil {
		return nil, err
	}
	for _, f := range old { // of an earlier index
		if err := os.Remove(f); err != nil {
			return nil, err
		}
	}
	stop := Watch(folder, progress)
	err = a.run(ctx, append([]string{"install", "--download-only"}, packages...)...)
	stop()
	if err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(folder, "*.deb"))
}
