package esp

import "strings"

// parseOSRelease reads os-release(5): lines of KEY=VALUE, the value perhaps in
// single or double quotes. Other lines are ignored; of a key given twice the last
// line counts.
func parseOSRelease(data string) map[string]string {
	values := make(map[string]string)
	for line := range strings.SplitSeq(data, "\n") {
		line = strings.Trim(line, " \t\r")
		key, value, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(key, "#") {
			values[key] = unquoteShell(value)
		}
	}
	return values
}

// unquoteShell removes the quotes of a shell word: within double quotes a
// backslash makes the next character literal, within single quotes nothing does.
func unquoteShell(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return s
	}
	inner := s[1 : len(s)-1]
	switch s[0] {
	case '\'':
		return inner
	case '"':
		var b strings.Builder
		for i := 0; i < len(inner); i++ {
			if inner[i] == '\\' && i+1 < len(inner) {
				i++
			}
			b.WriteByte(inner[i])
		}
		return b.String()
	}
	return s
}

// firstOf returns the first value that is set and not empty.
func firstOf(values map[string]string, keys ...string) string {
	for _, key := range keys {
		if values[key] != "" {
			return values[key]
		}
	}
	return ""
}
