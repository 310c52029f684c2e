package commands

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// maxLineBytes bounds a line of text; longer ones are an error.
const maxLineBytes = 1 << 20

// eachInput calls f with each named file, or with stdin where none is named.
func eachInput(e *env, files []string, f func(name string, r io.Reader) error) error {
	if len(files) == 0 {
		return f("", e.stdin)
	}
	var problem error
	for _, name := range files {
		problem = errors.Join(problem, withFile(name, f))
	}
	return problem
}

func withFile(name string, f func(string, io.Reader) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return f(name, file)
}

// eachLine calls f with each line, without its end, until f returns false.
func eachLine(r io.Reader, f func(line string) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		if !f(lines.Text()) {
			break
		}
	}
	return lines.Err()
}

func head(e *env) error {
	f := e.flags("[-n LINES] [FILE...]")
	n := f.Int("n", 10, "number of `lines`")
	if err := e.parse(f, 0, -1); err != nil {
		return err
	}
	return eachInput(e, f.Args(), func(_ string, r io.Reader) error {
		left := *n
		return eachLine(r, func(line string) bool {
			if left--; left >= 0 {
				fmt.Fprintln(e.stdout, line)
			}
			return left > 0
		})
	})
}

func tail(e *env) error {
	f := e.flags("[-n LINES] [FILE...]")
	n := f.Int("n", 10, "number of `lines`")
	if err := e.parse(f, 0, -1); err != nil {
		return err
	}
	if *n < 0 || *n > 100000 {
		return fmt.Errorf("at most 100000 lines, not %d", *n)
	}
	return eachInput(e, f.Args(), func(_ string, r io.Reader) error {
		var last []string
		err := eachLine(r, func(line string) bool {
			if last = append(last, line); len(last) > *n {
				last = last[1:]
			}
			return true
		})
		for _, line := range last {
			fmt.Fprintln(e.stdout, line)
		}
		return err
	})
}

func grep(e *env) error {
	f := e.flags("[-i] [-v] EXPRESSION [FILE...]")
	ignoreCase := f.Bool("i", false, "ignore case")
	invert := f.Bool("v", false, "print the lines that do not match")
	if err := e.parse(f, 1, -1); err != nil {
		return err
	}
	expression := f.Arg(0)
	if *ignoreCase {
		expression = "(?i)" + expression
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return err
	}
	files, found := f.Args()[1:], false
	err = eachInput(e, files, func(name string, r io.Reader) error {
		if len(files) > 1 {
			name += ":"
		} else {
			name = ""
		}
		return eachLine(r, func(line string) bool {
			if re.MatchString(line) != *invert {
				found = true
				fmt.Fprintln(e.stdout, name+line)
			}
			return true
		})
	})
	if err == nil && !found {
		return errNoMatch
	}
	return err
}

func wc(e *env) error {
	f := e.flags("[FILE...]")
	if err := e.parse(f, 0, -1); err != nil {
		return err
	}
	return eachInput(e, f.Args(), func(name string, r io.Reader) error {
		lines, words, bytes := 0, 0, 0
		for in := bufio.NewReader(r); ; {
			line, err := in.ReadString('\n')
			bytes += len(line)
			words += len(strings.Fields(line))
			lines += strings.Count(line, "\n")
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		fmt.Fprintln(e.stdout, strings.TrimSpace(fmt.Sprintf("%d %d %d %s", lines, words, bytes, name)))
		return nil
	})
}

func hexdump(e *env) error {
	f := e.flags("[-n BYTES] [FILE...]")
	n := f.Int64("n", 1<<62, "at most this number of `bytes`")
	if err := e.parse(f, 0, -1); err != nil {
		return err
	}
	return eachInput(e, f.Args(), func(_ string, r io.Reader) error {
		dumper := hex.Dumper(e.stdout)
		if _, err := io.Copy(dumper, io.LimitReader(r, *n)); err != nil {
			return err
		}
		return dumper.Close()
	})
}

func ln(e *env) error {
	f := e.flags("[-s] [-f] TARGET LINK")
	symbolic := f.Bool("s", false, "make a symbolic link")
	force := f.Bool("f", false, "replace a LINK that exists")
	if err := e.parse(f, 2, 2); err != nil {
		return err
	}
	if *force {
		if err := os.Remove(f.Arg(1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if *symbolic {
		return os.Symlink(f.Arg(0), f.Arg(1))
	}
	return os.Link(f.Arg(0), f.Arg(1))
}
