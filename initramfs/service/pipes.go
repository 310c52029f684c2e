package service

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// pipes are the files between a program and its supervisor.
type pipes struct {
	output *os.File   // what it writes
	beat   *os.File   // its signs of life; nil if it gives none
	theirs []*os.File // its descriptors, from 0 on
}

// pipes makes them for one run of the service.
func (u *unit) pipes() (_ *pipes, err error) {
	p := &pipes{}
	defer func() {
		if err != nil {
			p.closeTheirs()
			err = errors.Join(fmt.Errorf("files of the service: %w", err), p.close())
		}
	}()
	in, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	p.theirs = append(p.theirs, in)
	var w *os.File
	if p.output, w, err = os.Pipe(); err != nil {
		return nil, err
	}
	p.theirs = append(p.theirs, w, w)
	if make := u.spec.Process.Files; make != nil {
		files, err := make()
		if err != nil {
			return nil, err
		}
		p.theirs = append(p.theirs, files...)
	}
	if u.spec.Beat > 0 {
		if p.beat, w, err = os.Pipe(); err != nil {
			return nil, err
		}
		p.theirs = append(p.theirs, w)
	}
	return p, nil
}

// closeTheirs closes here what the program has. Nothing was written to it that could be
// lost.
func (p *pipes) closeTheirs() {
	for _, f := range p.theirs {
		_ = f.Close() // descriptor 2 is the same file as 1
	}
}

// finish bounds the reading of what is still in the pipes, which nobody writes to any more.
func (p *pipes) finish(deadline time.Time) {
	for _, f := range []*os.File{p.output, p.beat} {
		if f != nil {
			_ = f.SetReadDeadline(deadline) // a pipe can have one
		}
	}
}

func (p *pipes) close() error {
	var err error
	for _, f := range []*os.File{p.output, p.beat} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}
