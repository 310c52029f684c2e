package control

import (
	"bytes"
	"io"
	"text/tabwriter"
)

// table aligns cells that tabs separate. No line ends with spaces, also where its
// last cells are empty.
type table struct {
	*tabwriter.Writer
	text *bytes.Buffer
	out  io.Writer
}

func newTable(out io.Writer) table {
	text := new(bytes.Buffer)
	return table{tabwriter.NewWriter(text, 0, 0, 2, ' ', 0), text, out}
}

// Flush prints the table.
func (t table) Flush() error {
	if err := t.Writer.Flush(); err != nil {
		return err
	}
	for line := range bytes.Lines(t.text.Bytes()) {
		if _, err := t.out.Write(append(bytes.TrimRight(line, " \n"), '\n')); err != nil {
			return err
		}
	}
	return nil
}
