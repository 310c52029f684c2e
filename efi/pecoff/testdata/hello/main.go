// Command hello is an ordinary Go program with a firmware entry point that
// returns at once. It has what a conversion must carry: code, constants,
// pointers in read-only and in writable data, and zeroed memory.
package main

import "fmt"

var (
	greetings = []string{"hello", "from", "PE"}
	speakers  = map[string]fmt.Stringer{}
	zeroed    [1 << 16]byte
)

func main() {
	fmt.Println(greetings, speakers, len(zeroed))
}
