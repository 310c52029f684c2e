package kms

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// uevents are the kernel's own messages (Linux lib/kobject_uevent.c), not those that udev passes on.
const uevents = 1

// maxUevent is the longest message that the kernel sends, in bytes.
const maxUevent = 8 << 10

// watcher hears when screens are plugged or unplugged.
type watcher struct {
	file *os.File
	news chan struct{} // has at most one value
	done chan struct{}
}

// watch begins to watch; for each change, changed is called and news gets a value.
func watch(changed func()) (*watcher, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("watch for screens: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: uevents}); err != nil {
		return nil, errors.Join(fmt.Errorf("watch for screens: %w", err), unix.Close(fd))
	}
	w := &watcher{file: os.NewFile(uintptr(fd), "uevents"), news: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run(changed)
	return w, nil
}

func (w *watcher) run(changed func()) {
	defer close(w.done)
	defer close(w.news)
	message := make([]byte, maxUevent)
	for {
		n, err := w.file.Read(message)
		if errors.Is(err, unix.ENOBUFS) || err == nil && isHotplug(message[:n]) { // messages that were lost may be about screens
			changed()
			select {
			case w.news <- struct{}{}:
			default:
			}
			continue
		}
		if err != nil {
			return // closed
		}
	}
}

func (w *watcher) close() error {
	err := w.file.Close()
	<-w.done
	return err
}

// isHotplug reports whether a message of the kernel is about a screen that was plugged or unplugged: a line of text, and
// words, each ended by a zero byte.
func isHotplug(message []byte) bool {
	var drm, plug bool
	for word := range bytes.SplitSeq(message, []byte{0}) {
		drm = drm || string(word) == "SUBSYSTEM=drm"
		plug = plug || string(word) == "HOTPLUG=1"
	}
	return drm && plug
}
