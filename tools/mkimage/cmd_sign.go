package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

const signLong = `Sign signs a golden snapshot of a disk that is not up, with the private key whose
public half was given to rayimg build --golden-key. The snapshot is verified
first. Without SNAPSHOT, the first digits of its ID, the disk must have just one.

Whoever signs vouches for what is started: look at the digests that are printed.
Only the signature in the snapshot's manifest is written, in place and within
one sector: a cut of the power leaves the manifest as it was, or signed.`

func newSignCmd() *cobra.Command {
	var keyFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "sign DISK [SNAPSHOT] --key KEY.pem",
		Short:   "Sign a golden snapshot",
		Long:    signLong,
		Example: "  rayimg recovery list disk.img\n  rayimg recovery sign disk.img 5f70bf18 --key golden.pem",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if keyFile == "" {
				return usage(errors.New("name the private key with --key"))
			}
			key, err := readGoldenKey(keyFile)
			if err != nil {
				return err
			}
			if key.Private == nil {
				return fmt.Errorf("read golden key %s: it is a public key; the private one is needed to sign", keyFile)
			}
			disk, err := diskstate.Open(args[0], true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, disk.Close()) }()
			s, changed, err := sign(disk, args[1:], key)
			if errors.Is(err, control.ErrUsage) {
				return usage(err)
			}
			if err != nil {
				return fmt.Errorf("nothing was signed: %w", err)
			}
			return printSigned(cmd.OutOrStdout(), s, changed, asJSON)
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "Ed25519 private key, a PEM file (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// sign signs a snapshot, and reports whether its signature is another now.
func sign(disk *diskstate.Disk, args []string, key *image.GoldenKey) (s golden.Snapshot, changed bool, err error) {
	volume, err := disk.ESP()
	if err != nil {
		return s, false, err
	}
	all, problems := golden.List(volume)
	if s, err = one(all, args); err != nil {
		return s, false, errors.Join(append([]error{err}, problems...)...)
	}
	wanted, err := disk.GoldenKey()
	if err != nil {
		return s, false, err
	}
	if wanted != nil && !wanted.Equal(key.Public) {
		return s, false, errors.New("the boot manager of the disk wants another key")
	}
	_, kernels, err := disk.Slots()
	if err != nil {
		return s, false, err
	}
	if err := golden.Verify(volume, kernels, s); err != nil {
		return s, false, err
	}
	if s.CheckSignature(key.Public) == nil {
		return s, false, nil
	}
	s.Sign(key.Private)
	return s, true, disk.WriteSignature(s)
}

// one is the snapshot that is named, or the only one.
func one(all []golden.Snapshot, args []string) (golden.Snapshot, error) {
	switch {
	case len(args) > 0:
		return control.Named(all, args[0])
	case len(all) == 0:
		return golden.Snapshot{}, errors.New("there is no golden snapshot")
	case len(all) > 1:
		return golden.Snapshot{}, fmt.Errorf("%w: there are %d golden snapshots: name one, see recovery list", control.ErrUsage, len(all))
	}
	return all[0], nil
}

func printSigned(w io.Writer, s golden.Snapshot, changed, asJSON bool) error {
	text := fmt.Sprintf("Snapshot %s (%s) is signed.", bootmenu.ShortID(s.ID()), s.Title)
	if !changed {
		text = fmt.Sprintf("Snapshot %s (%s) was signed with this key already.", bootmenu.ShortID(s.ID()), s.Title)
	}
	if asJSON {
		return printJSON(w, struct {
			Changed  bool            `json:"changed"`
			Text     string          `json:"text"`
			Snapshot golden.Snapshot `json:"snapshot"`
		}{changed, text, s})
	}
	_, err := fmt.Fprintf(w, "%s\nkernel        %s\ninitrd        %s\ncommand line  %s\n", text, partText(s.Kernel), partText(s.Initrd), s.Options)
	return err
}

func partText(p golden.Part) string {
	if p.LengthBytes == 0 {
		return "none"
	}
	return p.SHA256.String()
}
