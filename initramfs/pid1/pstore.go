package pid1

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rayos/rayboot/initramfs/pstore"
	"github.com/rayos/rayboot/raylog"
)

// pstoreDir is where the kernel shows what it saved when it crashed.
const pstoreDir = "sys/fs/pstore"

const sourcePstore = "pstore"

// importDumps takes what the kernel saved at the end of earlier boots over into the
// log, under the boot that it belongs to, and then removes it: the firmware has
// little room. A log in memory does not take it, which would be its end.
func (b *boot) importDumps() {
	if err := b.mount(mountPoint{"pstore", "/" + pstoreDir, "pstore", secure, ""}); err != nil {
		b.say("what the kernel saved when it crashed cannot be read: %v", err)
		return
	}
	dir := filepath.Join(b.root, pstoreDir)
	dumps, problems := pstore.Read(os.DirFS(dir))
	for _, err := range problems {
		b.warn("%v", err)
	}
	if len(dumps) == 0 {
		return
	}
	if b.logVolatile != "" {
		b.warn("the kernel's last words of an earlier boot stay where they are: the log ends with the machine")
		return
	}
	for _, d := range dumps {
		if err := b.importDump(d, dir); err != nil {
			b.warn("the kernel's last words of an earlier boot: %v", err)
		}
	}
}

func (b *boot) importDump(d pstore.Dump, dir string) error {
	of, known := b.journal.log.LastBoot(b.journal.boot, sourceKernel)
	if !known {
		of = b.journal.boot
	}
	for _, text := range pieces(d.Text, raylog.MaxMessage) {
		e := raylog.Entry{Level: raylog.Fatal, Wall: d.Time, Source: sourcePstore, Message: text, Boot: of}
		if err := b.journal.log.Append(e); err != nil {
			return err
		}
	}
	if err := b.journal.log.Flush(); err != nil {
		return err
	}
	b.warn("the kernel's last words (%s) of boot %.8s are in the log: log show --source %s", d.Reason, of, sourcePstore)
	if err := d.Remove(dir); err != nil {
		return fmt.Errorf("%w; they will come once more", err)
	}
	return nil
}

// pieces cuts a text at ends of lines into pieces of at most size bytes; a longer
// line is cut where it must be.
func pieces(text string, size int) (all []string) {
	for len(text) > size {
		end := strings.LastIndexByte(text[:size], '\n') + 1
		if end == 0 {
			end = size
		}
		all = append(all, text[:end])
		text = text[end:]
	}
	if text != "" {
		all = append(all, text)
	}
	return all
}
