package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
)

// viaVNC counts the frames that a client of QEMU's VNC server gets.
func viaVNC(ctx context.Context, host *showhost.Guest, dir string) (result, error) {
	path := filepath.Join(dir, "vnc.sock")
	m, err := host.Start(ctx, work, guest.Machine{}, "-vnc", "unix:"+path, "-device", "virtio-gpu-pci")
	if err != nil {
		return result{}, err
	}
	defer m.Stop()
	if err := m.Await("flips begin"); err != nil {
		return result{}, err
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return result{}, err
	}
	defer conn.Close()
	if err := hello(conn); err != nil {
		return result{}, err
	}
	before, begin := usage(m.Cmd.Process.Pid), time.Now()
	var r result
	buf := make([]byte, frameBytes)
	for !strings.Contains(m.Output(), "flips "+strconv.Itoa(flips)) {
		n, err := update(conn, buf)
		if err != nil {
			return r, err
		}
		if r.bytes += uint64(n); n > 0 {
			r.frames = int(r.bytes / frameBytes)
		}
	}
	after := usage(m.Cmd.Process.Pid)
	r.took, r.client, r.qemu = time.Since(begin), after[0]-before[0], after[1]-before[1]
	return r, nil
}

// hello does the handshake of RFC 6143 without security and asks for raw encoding.
func hello(conn io.ReadWriter) error {
	var b [256]byte
	if _, err := io.ReadFull(conn, b[:12]); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "RFB 003.008\n"); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, b[:1]); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, b[:b[0]]); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, b[:4]); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, b[:24]); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(b[20:]))); err != nil {
		return err
	}
	_, err := conn.Write([]byte{2, 0, 0, 1, 0, 0, 0, 0})
	return err
}

// update asks for what has changed, and returns the bytes of pixels that came.
func update(conn io.ReadWriter, buf []byte) (n int, err error) {
	if _, err := conn.Write([]byte{3, 1, 0, 0, 0, 0, width >> 8, width & 0xff, height >> 8, height & 0xff}); err != nil {
		return 0, err
	}
	var head [12]byte
	if _, err := io.ReadFull(conn, head[:4]); err != nil {
		return 0, err
	}
	if head[0] != 0 {
		return 0, fmt.Errorf("message %d of the VNC server", head[0])
	}
	for range binary.BigEndian.Uint16(head[2:]) {
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return n, err
		}
		size := int(binary.BigEndian.Uint16(head[4:])) * int(binary.BigEndian.Uint16(head[6:])) * 4
		if size > len(buf) {
			return n, fmt.Errorf("a rectangle of %d bytes", size)
		}
		if _, err := io.ReadFull(conn, buf[:size]); err != nil {
			return n, err
		}
		n += size
	}
	return n, nil
}
