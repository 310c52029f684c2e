package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/preflight"
	"github.com/rayos/rayboot/guest/settings"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation/picture"
	"github.com/rayos/rayboot/presentation/screen"
	"github.com/rayos/rayboot/tools/mkimage/debqemu"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
	"github.com/rayos/rayboot/tools/mkimage/showing"
)

// showFlags are the options of rayimg show.
type showFlags struct {
	pictures   string
	screenshot string
	kms        bool
	write      bool
	config     string
	kvm        string
	until      string
	timeout    time.Duration
	markers    bool
	json       bool
	cache      string
}

const showLong = `Show starts the Linux guest of a disk on this host, as the RayOS runtime does on
a machine, and takes its screen out of QEMU without any remote desktop: into PNG
files, or onto this machine's own screen (--kms, from a text console). The
guest's serial console is this terminal. It ends when the guest powers off, or
when it has said the text of --until.

What the guest writes to its disk is lost at the end, unless --write keeps it;
then have the guest power off. --png writes a numbered picture for each second
in which something has changed. The QEMU is that of rayimg qemu, fetched once;
what the guest gets is said by EFI/rayos/guests.toml on the disk.

Exit status: 0 the guest powered off or has said the text, or --timeout without
--until is over; 1 it was not started, or QEMU ended with an error; 2 wrong
usage; 4 the text was not said in time or before the guest's end; 130
interrupted.`

const showExample = `  rayimg build disk.img --guests --linux-guest tiny
  rayimg show disk.img --png pictures
  rayimg show disk.img --screenshot shell.png --until SHELL_READY
  rayimg show /dev/sdb --kms --write`

// defaultScreen is what a guest may take where no screen says what suits it, in pixels.
var defaultScreen = image.Pt(1280, 800)

func newShowCmd() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:     "show DISK",
		Short:   "Run a disk's Linux guest and show its screen",
		Long:    showLong,
		Example: showExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return usage(err)
			}
			return f.run(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.pictures, "png", "", "write a picture for each second with changes into this folder")
	flags.StringVar(&f.screenshot, "screenshot", "", "write the last picture to this file, .png or .ppm")
	flags.BoolVar(&f.kms, "kms", false, "show the guest on this machine's own screen")
	flags.BoolVar(&f.write, "write", false, "keep what the guest writes to its disk")
	flags.StringVar(&f.config, "guest-config", "", "settings of the guests instead of those of the disk, a TOML file")
	flags.StringVar(&f.kvm, "kvm", string(qemu.KVMAuto), "use the host's processor directly: auto, on or off")
	flags.StringVar(&f.until, "until", "", "end when the guest has said this text on its serial console")
	flags.DurationVar(&f.timeout, "timeout", 0, "end after this time (default 5m with --until, otherwise never)")
	flags.BoolVar(&f.markers, "markers", false, "print the markers of the guest's screen on standard error")
	flags.BoolVar(&f.json, "json", false, "print what was shown as JSON, and the serial console on standard error")
	flags.StringVar(&f.cache, "cache", "", "folder for the fetched QEMU (default rayimg in the user's cache folder)")
	return cmd
}

func (f *showFlags) check() error {
	switch {
	case !slices.Contains([]string{"auto", "on", "off"}, f.kvm):
		return fmt.Errorf("--kvm %s: choose auto, on or off", f.kvm)
	case f.kms && (f.pictures != "" || f.screenshot != ""):
		return errors.New("--kms shows the guest on the screen; leave out --png and --screenshot")
	case !f.kms && f.pictures == "" && f.screenshot == "":
		return errors.New("say where the guest is to be shown: --png FOLDER, --screenshot FILE or --kms")
	case f.screenshot != "":
		return picture.Check(f.screenshot)
	}
	return nil
}

// showReport is printed as JSON.
type showReport struct {
	Disk       string   `json:"disk"`
	QEMU       string   `json:"qemu"` // version, as Debian has it
	KVM        bool     `json:"kvm"`
	Width      int      `json:"width"` // of the last picture, in pixels
	Height     int      `json:"height"`
	Changes    int      `json:"changes"` // how often something was drawn
	Pictures   []string `json:"pictures,omitempty"`
	Screenshot string   `json:"screenshot,omitempty"`
}

func (f *showFlags) run(cmd *cobra.Command, name string) (err error) {
	ui := newUI(cmd)
	defer ui.end()
	folder, err := os.MkdirTemp("", "rayimg-show-")
	if err != nil {
		return fmt.Errorf("make a folder for the guest's kernel: %w; name another place by TMPDIR", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	g, err := f.open(name, folder)
	if err != nil {
		return err
	}
	fetched, err := debqemu.Fetch(cmd.Context(), debqemu.Options{CacheDir: f.cache, Progress: ui.progress, Warn: ui.note})
	if err != nil {
		return err
	}
	g.Machine.Tree, g.Machine.Snapshot = fetched.Tree, !f.write
	if g.Machine.KVM, err = qemu.KVMMode(f.kvm).Use(); err != nil {
		return err
	}
	if err := preflight.Check(cmd.Context(), fetched.Tree.Command(), fetched.Tree.Env(), g.Machine.KVM); err != nil {
		return err
	}
	ui.end()
	s, err := f.screen(g.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report := showReport{Disk: name, QEMU: fetched.Version, KVM: g.Machine.KVM}
	if err := f.show(cmd, g, s, folder, &report); err != nil {
		return err
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return nil
}

// open finds the guest of a disk.
func (f *showFlags) open(name, folder string) (*showing.Guest, error) {
	disk, size, err := openDisk(name)
	if err != nil {
		return nil, err
	}
	defer disk.Close()
	g, err := showing.Open(disk, size, folder)
	if err != nil {
		return nil, fmt.Errorf("show %s: %w", name, err)
	}
	if f.config == "" {
		return g, nil
	}
	file, err := os.Open(f.config)
	if err != nil {
		return nil, fmt.Errorf("read settings of guests: %w", err)
	}
	defer file.Close()
	all, err := settings.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.config, err)
	}
	g.Config = all[guest.Linux]
	return g, nil
}

// screen is where the guest is shown.
func (f *showFlags) screen(c guest.Config) (screen.Screen, error) {
	if f.kms {
		return screen.Find("")
	}
	size := defaultScreen
	if c.Screen != (image.Point{}) {
		size = c.Screen
	}
	return showing.NewRecorder(size), nil
}

// show runs the guest, and writes its pictures.
func (f *showFlags) show(cmd *cobra.Command, g *showing.Guest, s screen.Screen, folder string, report *showReport) error {
	o := showing.Options{
		Folder: folder, Until: f.until, Screen: s, In: cmd.InOrStdin(), Out: cmd.OutOrStdout(),
		Emit:   func(markers.Emitter) {},
		Report: func(err error) { fmt.Fprintln(cmd.ErrOrStderr(), "rayimg: note:", err) },
	}
	if f.json {
		o.Out = cmd.ErrOrStderr()
	}
	if f.markers {
		o.Emit = func(m markers.Emitter) { fmt.Fprintln(cmd.ErrOrStderr(), m.Marker()) }
	}
	ctx, cancel := f.deadline(cmd.Context())
	defer cancel()
	recorder, ok := s.(*showing.Recorder)
	if !ok {
		return g.Show(ctx, o)
	}
	p := &pictures{recorder: recorder, dir: f.pictures}
	if f.pictures != "" {
		if err := os.MkdirAll(f.pictures, 0o755); err != nil {
			return fmt.Errorf("make the folder for pictures: %w", err)
		}
		o.Each = p.save
	}
	err := errors.Join(g.Show(ctx, o), cmd.Context().Err())
	return errors.Join(err, p.finish(f.screenshot, report))
}

// deadline is the end of the time that the guest has.
func (f *showFlags) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout, cause := f.timeout, context.DeadlineExceeded
	if f.until != "" {
		timeout, cause = cmp.Or(timeout, untilTimeout), showing.ErrNotSaid
	}
	if timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, cause)
}

// pictures are those that were written.
type pictures struct {
	recorder *showing.Recorder
	dir      string
	names    []string
	saved    int // changes that the last one has
}

// save writes a picture, if there is one that is new.
func (p *pictures) save() error {
	n, _ := p.recorder.Changes()
	if n == p.saved {
		return nil
	}
	p.saved = n
	name := filepath.Join(p.dir, fmt.Sprintf("%04d.png", len(p.names)+1))
	if err := picture.Save(name, p.recorder.Picture()); err != nil {
		return err
	}
	p.names = append(p.names, name)
	return nil
}

// errNoPicture says that there is nothing to write.
var errNoPicture = errors.New("the guest has drawn nothing")

// finish writes the screenshot, and says what was shown.
func (p *pictures) finish(screenshot string, report *showReport) error {
	report.Pictures, report.Screenshot = p.names, screenshot
	report.Changes, _ = p.recorder.Changes()
	last := p.recorder.Picture()
	if last == nil {
		return errNoPicture
	}
	report.Width, report.Height = last.Rect.Dx(), last.Rect.Dy()
	if screenshot == "" {
		return nil
	}
	return picture.Save(screenshot, last)
}
