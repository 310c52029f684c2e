package commands

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

func ps(e *env) error {
	f := e.flags("[-a]")
	all := f.Bool("a", false, "the kernel's threads too")
	if err := e.parse(f, 0, 0); err != nil {
		return err
	}
	pids, err := processes(e.root)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "PID\tPARENT\tSTATE\tCOMMAND")
	for _, pid := range pids {
		p, err := readProcess(e.root, pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return err
		}
		if *all || pid != kthreadd && p.parent != kthreadd {
			fmt.Fprintf(w, "%d\t%d\t%s\t%s\n", pid, p.parent, p.state, p.command)
		}
	}
	return w.Flush()
}

// kthreadd is the process that all of the kernel's threads are children of.
const kthreadd = 2

// processes returns the numbers of all processes, sorted.
func processes(root fs.FS) ([]int, error) {
	entries, err := fs.ReadDir(root, "proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

type process struct {
	parent         int
	state, command string
}

// readProcess reads proc(5) /proc/PID/stat and cmdline; the name of a process
// without a command line, as of a kernel thread, stands in brackets.
func readProcess(root fs.FS, pid int) (process, error) {
	dir := "proc/" + strconv.Itoa(pid)
	stat, err := fs.ReadFile(root, dir+"/stat")
	if err != nil {
		return process{}, err
	}
	// The name is in parentheses and may have any character.
	open, end := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
	if open < 0 || end < open {
		return process{}, fmt.Errorf("process %d: bad stat line", pid)
	}
	rest := strings.Fields(string(stat[end+1:]))
	if len(rest) < 2 {
		return process{}, fmt.Errorf("process %d: bad stat line", pid)
	}
	parent, err := strconv.Atoi(rest[1])
	if err != nil {
		return process{}, fmt.Errorf("process %d: %w", pid, err)
	}
	command, err := fs.ReadFile(root, dir+"/cmdline")
	if err != nil {
		return process{}, err
	}
	words := strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " "))
	if words == "" {
		words = "[" + string(stat[open+1:end]) + "]"
	}
	return process{parent: parent, state: rest[0], command: words}, nil
}

func kill(e *env) error {
	f := e.flags("[-s SIGNAL] PID...")
	name := f.String("s", "TERM", "`signal` by name or number")
	if len(e.args) > 0 && len(e.args[0]) > 1 && e.args[0][0] == '-' && e.args[0] != "-s" { // as in kill -9 PID
		e.args = append([]string{"-s", e.args[0][1:]}, e.args[1:]...)
	}
	if err := e.parse(f, 1, -1); err != nil {
		return err
	}
	signal, err := parseSignal(*name)
	if err != nil {
		return err
	}
	var problem error
	for _, arg := range f.Args() {
		pid, err := strconv.Atoi(arg)
		if err == nil {
			err = e.kernel.Kill(pid, signal)
		}
		if err != nil {
			problem = errors.Join(problem, fmt.Errorf("process %s: %w", arg, err))
		}
	}
	return problem
}

func parseSignal(name string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n <= 64 {
		return syscall.Signal(n), nil
	}
	if s := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")); s != 0 {
		return s, nil
	}
	return 0, fmt.Errorf("no signal %q", name)
}
