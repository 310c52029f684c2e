// Command hello is an ordinary Go program with a firmware entry point that
// returns at once. It has what a conversion must carry: code, constants,
// pointers in read-only and in writable data, and zeroed memory.
package main

var (
	greetings = []string{"hello", "from", "PE"}
	speakers  = map[string]interface{ speak(string) }{"terminal": terminal{}}
	zeroed    [1 << 16]byte
)

type terminal struct{}

func (terminal) speak(s string) { println(s) }

func main() {
	for _, g := range greetings {
		speakers["terminal"].speak(g)
	}
	println(len(zeroed), zeroed[len(greetings)])
}
